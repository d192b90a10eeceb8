"""A cache answers less: its hit ratio fell, and then the load of what is behind it rose."""

from __future__ import annotations

from collections.abc import Iterator

from detection.chain import Sign
from detection.types import SymptomKind
from integrations.cards import moment
from integrations.text import ours
from workers.diagnosis import weights
from workers.diagnosis.causes.mechanisms.harm import SLACK_SECONDS, mechanism, signs_of_kinds, stores_of
from workers.diagnosis.causes.suspicion import Suspicion, evidence
from workers.diagnosis.model import Evidence
from workers.diagnosis.scene.model import Observed
from workers.words.text import quoted

CAUSE = "cache"
_LOAD = frozenset(
    (
        SymptomKind.TRAFFIC,
        SymptomKind.QUERY_COUNT,
        SymptomKind.ROWS_READ,
        SymptomKind.CPU,
        SymptomKind.CONNECTIONS,
        SymptomKind.SLOW_QUERIES,
        SymptomKind.LATENCY,
    )
)


def suspects(observed: Observed) -> Iterator[Suspicion]:
    """Yield a suspicion for the first cache of the incident that answers less."""
    misses = signs_of_kinds(observed, (SymptomKind.CACHE_MISSES,))
    if not misses:
        return
    first = misses[0]
    statement = ours(
        "{part} answers less from its cache, so what is behind it has more to do.", part=quoted(first.part, 60)
    )
    hypothesis = mechanism(CAUSE, first.part, statement)
    checks = [_fell(hypothesis.key, first), _then_load(hypothesis.key, first, observed)]
    yield Suspicion(hypothesis, tuple(item for item in checks if item is not None))


def _fell(key: str, first: Sign) -> Evidence:
    result = ours(
        "“{text}” of {part} got worse at {at}.",
        text=quoted(first.text, 120),
        part=quoted(first.part, 60),
        at=moment(first.latest),
    )
    return evidence("cache_misses", key, result, weights.CACHE_ANSWERS_LESS, source="metrics")


def _then_load(key: str, first: Sign, observed: Observed) -> Evidence | None:
    """Compare when the cache began to answer less with when the load behind it rose."""
    behind = stores_of(first.part, observed)
    load = [sign for sign in observed.signs if sign.part in behind and sign.kind in _LOAD]
    if not load:
        return None
    risen = min(load, key=lambda sign: sign.latest)
    is_before = first.earliest <= risen.latest + SLACK_SECONDS
    result = ours(
        "“{text}” of {part}, which is behind it, rose {order}, at {at}.",
        text=quoted(risen.text, 100),
        part=quoted(risen.part, 60),
        order="with it or after it" if is_before else "before it",
        at=moment(risen.latest),
    )
    weight = weights.LOAD_AFTER_MISSES if is_before else weights.LOAD_BEFORE_MISSES
    return evidence("load_behind", key, result, weight, source="order")
