"""Reasons that the failing part itself gives, and that hardly any change of its code can bring about.

Something ran out, no way leads to whom it calls, or another company answers with an error of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from workers.diagnosis import weights
from workers.diagnosis.causes.hosts import outside_hosts
from workers.diagnosis.causes.kinds.certificate import says_expired
from workers.diagnosis.causes.kinds.credential import says_ended
from workers.diagnosis.causes.lines import bad_lines, come_as_often
from workers.diagnosis.changes import Effect, EffectKind
from workers.diagnosis.scene.model import Observed

_CAN_END_IT = frozenset((EffectKind.SECRET, EffectKind.TLS))
"""A change of a secret, or of how others are trusted, may have put something old in its place."""

_CAN_LOSE_THE_WAY = frozenset(
    (EffectKind.ROUTING, EffectKind.IMAGE, EffectKind.CALL_IN_LOOP, EffectKind.CALL_ADDED, EffectKind.START_UP)
)
"""A change of the address, of the system below, or of how many calls are made may be why no way leads there."""

_CAN_FLOOD_OTHERS = frozenset(
    (EffectKind.ROUTING, EffectKind.CALL_ADDED, EffectKind.CALL_IN_LOOP, EffectKind.BATCH, EffectKind.INTERVAL)
)
"""A change of whom it asks, or how often, may be why another company's server is not available to it."""

_REPEATS = frozenset((EffectKind.RETRIES, EffectKind.BACKOFF))
_MANY_MORE = 3.0
"""How many times the attempts a change makes for them to be a flood."""

_CANNOT_SLOW_OTHERS = frozenset(
    (
        EffectKind.FIELD_RENAMED,
        EffectKind.DECODING,
        EffectKind.UNCHECKED_VALUE,
        EffectKind.GUARD_REMOVED,
        EffectKind.LOG_LEVEL,
        EffectKind.LOGIC,
    )
)
"""What is sent, or made of the answer, is not why another company's answer takes too long."""

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
_NO_WAY = re.compile(
    r"no such host|server misbehaving|\blookup \S+ on |could not resolve|name resolution|NXDOMAIN|SERVFAIL|"
    r"getaddrinfo|EAI_AGAIN|UnknownHost|no route to host|(?:network|host) is unreachable",
    re.IGNORECASE,
)
"""A name that is not found, or a host that no way leads to."""

_TOO_SLOW = re.compile(r"tim(?:ed? ?|e-)out|deadline exceeded", re.IGNORECASE)
_CIPHERS = re.compile(r"cipher|suite|curve|(?:min|max)_?version|TLS_(?:RSA|ECDHE|AES|CHACHA)", re.IGNORECASE)
_SERVER_ERROR = re.compile(
    r"\b(?:429|50[234])\b|service (?:is )?(?:temporarily )?unavailable|bad gateway|gateway time-?out|"
    r"too many requests|rate.?limit(?:ed| exceeded)",
    re.IGNORECASE,
)
"""It is not available, or takes no more for now: neither depends on what is in a request."""


@dataclass(frozen=True, slots=True)
class SaidReason:
    """A reason with the line that gives it. weight: against a change that cannot bring it about."""

    text: str
    weight: float


def said_reason(part: str, effect: Effect | None, observed: Observed) -> SaidReason | None:
    """Return why a part fails by lines as frequent as its others; None if a change with this effect can be why."""
    ended = _most_say(part, observed, lambda text: says_expired(text) or says_ended(text))
    if ended is not None:
        return None if _can_end_it(effect) else SaidReason(ended, weights.ANOTHER_REASON_SAID)
    no_way = _most_say(part, observed, lambda text: bool(_NO_WAY.search(text)))
    if no_way is not None:
        is_likely = effect is not None and effect.kind in _CAN_LOSE_THE_WAY
        return None if is_likely else SaidReason(no_way, weights.ANOTHER_REASON_SAID)
    fails = _most_say(part, observed, lambda text: _is_of_a_company(text, _SERVER_ERROR, observed))
    if fails is not None:
        return None if _can_flood(effect) else SaidReason(fails, weights.ANOTHER_COMPANY_FAILS)
    slow = _most_say(part, observed, lambda text: _is_of_a_company(text, _TOO_SLOW, observed))
    if slow is not None and not _can_slow(effect):
        return SaidReason(slow, weights.ANOTHER_REASON_SAID)
    return None


def said_refusal(part: str, effect: Effect | None, observed: Observed) -> SaidReason | None:
    """Return that nobody listens where a part calls, by lines as frequent as its others.

    None without an effect, or if a change of the caller with this effect can be why.
    """
    refused = _most_say(part, observed, lambda text: bool(_REFUSED.search(text)))
    if refused is None or effect is None or effect.kind not in _CANNOT_STOP_A_LISTENER:
        return None
    return SaidReason(refused, weights.NOBODY_LISTENS)


def _most_say(part: str, observed: Observed, says: Callable[[str], bool]) -> str | None:
    told = [group for group in bad_lines(observed) if group.part == part and says(group.text)]
    if not come_as_often(told, observed):
        return None
    return max(told, key=lambda group: group.count).text


def _is_of_a_company(text: str, pattern: re.Pattern[str], observed: Observed) -> bool:
    """Whether a line says this of a call to another company."""
    return bool(pattern.search(text)) and bool(outside_hosts(text, observed.parts))


def _can_end_it(effect: Effect | None) -> bool:
    """Whether a change may be why something is taken to have ended; which ciphers are allowed ends nothing."""
    return effect is not None and effect.kind in _CAN_END_IT and not _CIPHERS.search(effect.line)


def _can_flood(effect: Effect | None) -> bool:
    return effect is not None and (effect.kind in _CAN_FLOOD_OTHERS or _repeats_much_more(effect))


def _can_slow(effect: Effect | None) -> bool:
    if effect is None or effect.kind in _CANNOT_SLOW_OTHERS:
        return False
    return effect.kind not in _REPEATS or _repeats_much_more(effect)


def _repeats_much_more(effect: Effect) -> bool:
    if effect.kind not in _REPEATS:
        return False
    return not effect.ratio or max(effect.ratio, 1 / effect.ratio) >= _MANY_MORE
