"""An error that was not there before, or a crash, is among the first signs of the part where it began."""

from __future__ import annotations

from collections.abc import Iterator

from detection.chain import LineGroup
from detection.symptoms import symptoms_of_text
from detection.types import SymptomKind
from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.lines import bad_lines
from workers.diagnosis.causes.mechanisms.harm import mechanism
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence
from workers.diagnosis.scene.model import TOGETHER_SECONDS, Observed
from workers.words.text import counted, number, quoted

CAUSE = "new_error"
SPIKES_AT = 5.0
"""How many times the usual number of lines makes a spike."""

FEWEST_LINES = 3
_CRASH = frozenset((SymptomKind.CRASH, SymptomKind.RESTARTS))
_LATE_SECONDS = 2 * TOGETHER_SECONDS
"""Lines are counted in buckets of up to some minutes, so those of the first signs may seem a little late."""


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield one suspicion if the origin began to say something bad that it did not say before, from the start."""
    origin = observed.chain.origin
    if origin is None:
        return
    groups = [group for group in bad_lines(observed) if _is_first(group, origin, observed)]
    if not groups:
        return
    told = max(groups, key=lambda group: (bool(_kinds(group) & _CRASH), group.usual_count < 1, group.count))
    verb = "crashes" if _kinds(told) & _CRASH else "fails in a new way"
    statement = ours("{part} {verb}.", part=quoted(origin, 60), verb=verb)
    hypothesis = mechanism(CAUSE, origin, statement)
    checks = [_said(hypothesis.key, told), _crashed(hypothesis.key, origin, observed)]
    yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))


def _is_first(group: LineGroup, origin: str, observed: Observed) -> bool:
    first = min((sign.latest for sign in observed.signs_of(origin)), default=observed.onset[1])
    is_spike = group.count >= FEWEST_LINES and group.count >= SPIKES_AT * group.usual_count
    # Another tool's count may not say since when; then the line is believed, but weighs less.
    is_early = group.first_seen is None or group.first_seen <= first + _LATE_SECONDS
    return group.part == origin and is_spike and is_early


def _kinds(group: LineGroup) -> frozenset[SymptomKind]:
    return frozenset(symptoms_of_text(group.text))


def _said(key: str, group: LineGroup) -> Evidence:
    is_new = group.usual_count < 1
    usually = ours("not seen before") if is_new else ours("usually {usual}", usual=number(group.usual_count))
    since = ours("") if group.first_seen is None else ours(" since {at}", at=moment(group.first_seen))
    result = ours(
        "{count} of {part}{since}, {usually}: “{text}”.",
        count=counted(round(group.count), "line"),
        part=quoted(group.part, 60),
        since=since,
        usually=usually,
        text=quoted(group.text, 160),
    )
    data = {"text": quoted(group.text, 300), "first_seen": group.first_seen, "count": group.count}
    weight = weights.ERROR_IS_NEW if is_new and group.first_seen is not None else weights.ERROR_SPIKES
    return evidence("new_error_line", key, result, weight, source="logs", data=data)


def _crashed(key: str, origin: str, observed: Observed) -> Evidence | None:
    crashes = [sign for sign in observed.first_signs(origin) if sign.kind in _CRASH and sign.source != "log"]
    if not crashes:
        return None
    result = ours("It restarts or crashes from the start: “{text}”.", text=quoted(crashes[0].text, 120))
    return evidence("crashes", key, result, weights.CRASHES_FIRST, source=crashes[0].source)
