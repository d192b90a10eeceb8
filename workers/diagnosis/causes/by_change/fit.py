"""How far what a change can do explains what is seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from detection.chain import Sign
from detection.chain.observed import LOAD
from detection.symptoms import metric_meaning
from detection.types import SymptomKind
from workers.diagnosis.causes.by_change.room import comes_after_load, takes_room
from workers.diagnosis.changes import ChangeReading, Effect, EffectKind
from workers.diagnosis.scene.model import Observed

_COMMON = 0.7
_SPECIFIC = 1.0
_GENERAL_KINDS = frozenset((SymptomKind.LATENCY, SymptomKind.ERRORS, SymptomKind.TRAFFIC, SymptomKind.CPU))
"""Kinds that almost any failure shows: to explain one of them says less."""

_LATER = 0.5
"""What is left of a kind that the part showed only after others: those brought it about."""

_SLOWS_A_CONSUMER = frozenset(
    (
        SymptomKind.QUEUE,
        SymptomKind.LATENCY,
        SymptomKind.TIMEOUTS,
        SymptomKind.THREADS,
        SymptomKind.LOCKS,
        SymptomKind.CRASH,
        SymptomKind.DECODING,
    )
)
_FAILS_ITSELF = frozenset((SymptomKind.ERRORS, SymptomKind.TIMEOUTS, SymptomKind.CRASH, SymptomKind.AUTHENTICATION))
_SAY_WHY = frozenset(
    (
        SymptomKind.AUTHENTICATION,
        SymptomKind.CERTIFICATE,
        SymptomKind.NAME_LOOKUP,
        SymptomKind.DISK,
        SymptomKind.THROTTLED,
    )
)
"""Kinds of failure that name their reason: a change that cannot bring about the reason explains the errors badly."""

_SAYS_SOMETHING_ELSE = 0.5
_SHUTS_OUT = frozenset((EffectKind.ROUTING, EffectKind.TLS, EffectKind.SECRET))
_SHUT_OUT = frozenset(
    (
        SymptomKind.NETWORK,
        SymptomKind.TIMEOUTS,
        SymptomKind.CONNECTIONS,
        SymptomKind.AUTHENTICATION,
        SymptomKind.CERTIFICATE,
    )
)
"""What those see who may no longer reach a part, while the part itself sees nothing of it."""

_CALLS_MORE = frozenset((EffectKind.RETRIES, EffectKind.BACKOFF, EffectKind.INTERVAL))
_CALLS_ROSE_LATER = 0.3
"""What is left of the harm by more calls where these rose only after it."""

_NOT_INVOLVED = 0.4
_CONTRADICTED = 0.35
"""What is left of an effect whose own measure is watched and stayed on its course."""

_IN_A_FRAME = 0.8
_FEW_FILES = 2
_IN_FILE = re.compile(
    r"([\w./-]*\w\.(?:py|go|java|kt|rb|tsx?|jsx?|mjs|cs|php|rs|scala|exs?|swift|cc|cpp|c))"
    r"(?=:\d|:<N>|:line|[\"']?,? line \d|\(\d)"
)
_EVERYWHERE = frozenset(
    re.findall(
        r"\w+",
        "main index app server handler handlers client service services util utils model models view views route "
        "routes router middleware helper helpers lib mod __init__ base common core types api controller",
    )
)
_WORDS_ALIKE = 0.2
_WORD = re.compile(r"[a-z0-9]{3,}")
_TOO_COMMON = frozenset(
    re.findall(
        r"\w+",
        "the and for with from error errors request requests response service server client handler handle call "
        "calls api http https get post put return func function class new old value values data time timeout name type "
        "string int failed fail info warn debug null none true false context config default test main app internal "
        "src pkg lib cmd code upstream downstream retry user",
    )
)


@dataclass(frozen=True, slots=True)
class Fit:
    """How far a change explains what is seen, 0 to 1, by which effect, and the sign that it explains best."""

    score: float
    effect: Effect | None = None
    sign: Sign | None = None


def fit(reading: ChangeReading, services: Iterable[str], observed: Observed) -> Fit:
    """Return the best fit over the effects of a change that is live in these services."""
    own = frozenset(services)
    fits = [_fit(effect, own, observed) for effect in reading.effects]
    best = max(fits, key=lambda item: item.score, default=Fit(0.0))
    frame = _frame(reading, own, observed) if reading.effects else None
    if frame is None or best.score >= _IN_A_FRAME:
        return best
    return Fit(_IN_A_FRAME, best.effect or reading.effects[0], frame)


def _frame(reading: ChangeReading, services: frozenset[str], observed: Observed) -> Sign | None:
    """Return the sign whose text says that it failed in a file that the change touches.

    A text that names many files, as a whole stack does, says of none that it failed there; nor do names that every
    service has.
    """
    for sign in observed.signs:
        named = set(_IN_FILE.findall(sign.text[:2000])) if sign.part in services and sign.source != "metric" else set()
        if len(named) <= _FEW_FILES and any(_is_file(path, name) for path in reading.paths for name in named):
            return sign
    return None


def _is_file(path: str, name: str) -> bool:
    if "/" in name and path.endswith("/" + name.lstrip("./")):
        return True
    last = name.rpartition("/")[2]
    return path.rpartition("/")[2] == last and last.partition(".")[0].lower() not in _EVERYWHERE


def _fit(effect: Effect, services: frozenset[str], observed: Observed) -> Fit:
    matches = list(_matches(effect, services, observed))
    if not matches:
        return Fit(0.0)
    worth, sign = max(matches, key=lambda match: match[0])
    if _is_contradicted(effect, services, observed):
        worth *= _CONTRADICTED
    shared = _shared_words(effect, services, observed)
    if _explains_otherwise(effect, sign, observed):
        shared *= _SAYS_SOMETHING_ELSE
    return Fit(min(effect.strength * worth + _WORDS_ALIKE * shared, 1.0), effect, sign)


def _matches(effect: Effect, services: frozenset[str], observed: Observed) -> Iterator[tuple[float, Sign]]:
    """Yield the signs that the effect could have caused, in its own services, their callees, callers and nodes."""
    callees = frozenset(callee for service in services for callee in observed.callees(service))
    callers = frozenset(caller for service in services for caller in observed.callers(service))
    nodes = frozenset(place.node for place in observed.scene.places if place.service in services)
    involved = observed.involved()
    for sign in observed.signs:
        own = sign.part in services and sign.kind in effect.causes
        below = sign.part in callees and (
            sign.kind in effect.causes_in_callees
            # A queue grows when whoever takes from it slows down or fails; not that of a service that itself fails.
            or (
                sign.kind is SymptomKind.QUEUE
                and bool(effect.causes & _SLOWS_A_CONSUMER)
                and not observed.kinds.get(sign.part, frozenset()) & _FAILS_ITSELF
            )
        )
        beside = sign.part in nodes and sign.kind in effect.causes
        above = sign.part in callers and sign.kind in effect.causes & _SHUT_OUT and effect.kind in _SHUTS_OUT
        if own or below or beside or above:
            worth = _worth(sign, effect, observed)
            is_first = sign.kind in observed.first_kinds(sign.part)
            # Room that is gone is missed when more comes, so more comes first.
            is_first = is_first or (takes_room(effect) and comes_after_load(sign.part, observed))
            worth *= 1.0 if is_first else _LATER
            if below and not own and calls_rose_later(effect, sign.part, services, observed):
                worth *= _CALLS_ROSE_LATER
            yield worth * (1.0 if sign.part in involved else _NOT_INVOLVED), sign


def calls_rose_later(effect: Effect, callee: str, callers: frozenset[str], observed: Observed) -> bool:
    """Whether an effect harms a callee by the number of calls, and these are seen to rise only once it suffered.

    Then they rose because it did.
    """
    if effect.kind not in _CALLS_MORE:
        return False
    began = min((sign.latest for sign in observed.signs_of(callee)), default=observed.onset[1])
    rose = [sign for sign in observed.signs if sign.kind in LOAD and sign.part in callers | {callee}]
    return bool(rose) and all(sign.earliest >= began for sign in rose)


def _worth(sign: Sign, effect: Effect, observed: Observed) -> float:
    """Return how much it says that an effect explains a sign: less for errors whose reason is another."""
    if sign.kind not in _GENERAL_KINDS:
        return _SPECIFIC
    return _COMMON * _SAYS_SOMETHING_ELSE if _explains_otherwise(effect, sign, observed) else _COMMON


def _explains_otherwise(effect: Effect, sign: Sign, observed: Observed) -> bool:
    """Whether a part says why it fails, and the effect can bring about its errors but not that reason."""
    said = observed.first_kinds(sign.part) & _SAY_WHY
    return sign.kind in _GENERAL_KINDS and bool(said) and not said & effect.causes


def _is_contradicted(effect: Effect, services: frozenset[str], observed: Observed) -> bool:
    """Whether every special kind that the effect causes is measured in its services, and none left its course."""
    special = effect.causes - _GENERAL_KINDS
    measured = _measured(services, observed) & special
    seen = frozenset(kind for service in services for kind in observed.kinds.get(service, frozenset()))
    return bool(measured) and measured == special and not seen & special


def _measured(services: frozenset[str], observed: Observed) -> frozenset[SymptomKind]:
    kinds = (metric_meaning(course.name).kind for course in observed.scene.courses if course.part in services)
    return frozenset(kind for kind in kinds if kind is not None)


def _shared_words(effect: Effect, services: frozenset[str], observed: Observed) -> float:
    """Return how much of the touched code the signs of its services and their callees name, 0 to 1."""
    # That code names the service that it is of, and its signs name it too, says nothing.
    own = {word for service in services for word in _WORD.findall(_split(service))}
    words = {word for word in effect.words if word not in _TOO_COMMON | own and len(word) >= 3}
    if not words:
        return 0.0
    near = services | {callee for service in services for callee in observed.callees(service)}
    seen = {word for sign in observed.signs if sign.part in near for word in _WORD.findall(_split(sign.text))}
    named = words & (seen - _TOO_COMMON)
    return min(len(named) / 2, 1.0)


def _split(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text[:500]).replace("_", " ").lower()
