"""A database or another dependency was restarted, patched or switched over by whoever runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detection.chain import LineGroup
from detection.chain.observed import HARM
from detection.types import SymptomKind
from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import is_news
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed
from workers.words.text import quoted

CAUSE = "maintenance"
BEFORE_SECONDS, AFTER_SECONDS = 600.0, 180.0
SUFFERED_SECONDS = 180.0
"""A dependency that was unwell for this long before it went down was perhaps brought down."""

_PLANNED = re.compile(
    r"(?:scheduled|planned|provider|vendor|host|system|infrastructure|emergency) maintenance\b|"
    r"\bmaintenance (?:window|event|action|is starting|(?:has )?(?:started|begun|completed))|"
    r"\b(?:offline )?patching of\b|\bRDS-EVENT-\d+|"
    r"(?:minor|major|engine)[ -]version[ -](?:upgrade|patch)|"
    r"(?:due to|by) administrator (?:command|request)|"
    r"\brestarted by (?:the )?(?:provider|operator|vendor|platform|cloud)|\blive[- ]migrat(?:ion|ed|ing)\b",
    re.IGNORECASE,
)
_SWITCHED = re.compile(
    r"database system (?:was shut down|is shutting down|is starting up|was interrupted)|"
    r"received (?:fast|smart|immediate) shutdown request|"
    r"\bfail(?:ed|ing)?[- ]?over (?:to|has|was|is|of|start\w*|complet\w*|initiat\w*|in progress|triggered)|"
    r"\bswitch(?:ed|ing)?[- ]?over (?:to|of|start\w*|complet\w*|initiat\w*|in progress)|"
    r"\bpromot(?:ed|ing|ion)\b.{0,40}\b(?:primary|master|leader|replica|standby|writer)|"
    r"\b(?:new|elected) (?:primary|master|leader)\b|"
    r"NotWritablePrimary|NotPrimary|not (?:the )?(?:primary|master)\b|READONLY You can't write|"
    r"cannot execute \w+ in a read-only transaction|--read-only option|primary (?:stepped|is stepping) down",
    re.IGNORECASE,
)
_LOADED = HARM - {SymptomKind.ERRORS, SymptomKind.CONNECTIONS, SymptomKind.RESTARTS}


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion if new lines around the onset tell that the origin, or what it uses, was taken down."""
    told = [group for group in observed.scene.lines if _is_told(group, observed)]
    if not told:
        return
    first = min(told, key=lambda group: (not _PLANNED.search(group.text), group.first_seen or observed.onset[1]))
    key = f"{CAUSE}:{first.part}"[:300]
    hypothesis = Hypothesis(
        key=key,
        cause=CAUSE,
        role=Role.ORIGIN,
        statement=ours("{part} was restarted or switched over by whoever runs it.", part=quoted(first.part, 60)),
        prior=weights.MAINTENANCE_PRIOR,
        service=first.part,
    )
    planned = bool(_PLANNED.search(first.text))
    weight = weights.MAINTENANCE_SAID if planned else weights.SWITCHED_OVER
    if _suffered_before(first, observed):
        weight = weights.BROUGHT_DOWN
    result = ours("{at}: “{text}”.", at=moment(first.first_seen or observed.onset[1]), text=quoted(first.text, 140))
    yield Suspicion(hypothesis, (evidence("taken_down", key, result, weight, source="logs"),))


def _is_told(group: LineGroup, observed: Observed) -> bool:
    if group.first_seen is None or not is_news(group):
        return False
    if not _PLANNED.search(group.text) and not _SWITCHED.search(group.text):
        return False
    earliest, latest = observed.onset
    if not earliest - BEFORE_SECONDS <= group.first_seen <= latest + AFTER_SECONDS:
        return False
    origin = observed.chain.origin
    return group.part == origin or (origin is not None and group.part in observed.callees(origin))


def _suffered_before(first: LineGroup, observed: Observed) -> bool:
    """Whether the part was under load or ran short of something well before it was taken down."""
    at = first.first_seen or observed.onset[1]
    return any(
        sign.part == first.part and sign.kind in _LOADED and sign.latest < at - SUFFERED_SECONDS
        for sign in observed.signs
    )
