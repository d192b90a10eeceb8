"""Reasons that the failing part itself gives, and that hardly any change of its code can bring about.

Something ran out, or another company answers with an error of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from workers.diagnosis import weights
from workers.diagnosis.causes.hosts import company_of, outside_hosts
from workers.diagnosis.causes.kinds.certificate import says_expired
from workers.diagnosis.causes.kinds.credential import says_ended
from workers.diagnosis.causes.lines import bad_lines, share_of_bad
from workers.diagnosis.changes import Effect, EffectKind
from workers.diagnosis.scene.model import Observed

MOST_LINES = 0.5
_CAN_END_IT = frozenset((EffectKind.SECRET, EffectKind.TLS))
"""A change of a secret, or of how others are trusted, may have put something old in its place."""

_CAN_UPSET_OTHERS = frozenset(
    (
        EffectKind.ROUTING,
        EffectKind.SECRET,
        EffectKind.RETRIES,
        EffectKind.BACKOFF,
        EffectKind.CALL_ADDED,
        EffectKind.CALL_IN_LOOP,
        EffectKind.BATCH,
        EffectKind.INTERVAL,
        EffectKind.DEPENDENCY,
        EffectKind.FIELD_RENAMED,
        EffectKind.DECODING,
    )
)
"""A change of whom it asks, how often, or what it sends may be why another company answers with errors."""

_CANNOT_STOP_A_LISTENER = frozenset(
    (
        EffectKind.TIMEOUT,
        EffectKind.RETRIES,
        EffectKind.BACKOFF,
        EffectKind.TTL,
        EffectKind.BATCH,
        EffectKind.CACHE_KEY,
        EffectKind.QUERY_IN_LOOP,
        EffectKind.QUERY_WIDENED,
        EffectKind.UNCHECKED_VALUE,
        EffectKind.GUARD_REMOVED,
        EffectKind.FIELD_RENAMED,
        EffectKind.DECODING,
        EffectKind.LOG_LEVEL,
        EffectKind.LOGIC,
    )
)
"""A connection is refused at once where nobody listens. How long a caller waits, or what it sends, changes nothing."""

_REFUSED = re.compile(r"connection (?:was )?(?:actively )?refused|\bECONNREFUSED\b", re.IGNORECASE)
_SERVER_ERROR = re.compile(
    r"\b50[0-4]\b|\b5xx\b|service (?:is )?(?:temporarily )?unavailable|bad gateway", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SaidReason:
    """A reason with the line that gives it. weight: against a change that cannot bring it about."""

    text: str
    weight: float


def said_reason(part: str, effect: Effect | None, observed: Observed) -> SaidReason | None:
    """Return why a part fails by at least half of its bad lines; None if a change with this effect can be why."""
    ended = _most_say(part, observed, lambda text: says_expired(text) or says_ended(text))
    if ended is not None:
        can_end_it = effect is not None and effect.kind in _CAN_END_IT
        return None if can_end_it else SaidReason(ended, weights.ANOTHER_REASON_SAID)
    theirs = _most_say(part, observed, lambda text: bool(_who_fails(text, observed)))
    if theirs is not None and not _can_upset(effect, _who_fails(theirs, observed)):
        return SaidReason(theirs, weights.ANOTHER_COMPANY_FAILS)
    return None


def said_refusal(part: str, effect: Effect | None, observed: Observed) -> SaidReason | None:
    """Return that nobody listens where a part calls, by at least half of its bad lines.

    None without an effect, or if a change of the caller with this effect can be why.
    """
    refused = _most_say(part, observed, lambda text: bool(_REFUSED.search(text)))
    if refused is None or effect is None or effect.kind not in _CANNOT_STOP_A_LISTENER:
        return None
    return SaidReason(refused, weights.NOBODY_LISTENS)


def _most_say(part: str, observed: Observed, says: Callable[[str], bool]) -> str | None:
    told = [group for group in bad_lines(observed) if group.part == part and says(group.text)]
    if not told or share_of_bad(told, observed) < MOST_LINES:
        return None
    return max(told, key=lambda group: group.count).text


def _who_fails(text: str, observed: Observed) -> frozenset[str]:
    """Return the companies that a line says to answer with an error of their own server."""
    if not _SERVER_ERROR.search(text):
        return frozenset()
    return frozenset(company_of(host) for host in outside_hosts(text, observed.parts))


def _can_upset(effect: Effect | None, companies: frozenset[str]) -> bool:
    if effect is None:
        return False
    return effect.kind in _CAN_UPSET_OTHERS or any(company in word for company in companies for word in effect.words)
