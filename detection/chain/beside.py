"""Failures that spread sideways, between two that the same caller depends on: neither of them knows the other.

Where one of several fails, its share goes to the others; where a cache misses or is away, its callers ask the store
behind it, which may not bear all that the cache kept from it (a cache stampede).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from detection.chain.dependencies import Dependencies, Tie
from detection.chain.link import Link
from detection.chain.states import State, order
from detection.types import SymptomKind

_FAILOVER = 0.3
_BEFORE = 0.2
_NOT_AFTER = -1.6
_FALLEN_THROUGH = 1.5
_ABOUT_THEN = -1.0
_CACHE = re.compile(r"cache|redis|valkey|varnish|(?:^|[^a-z])cdn(?:[^a-z]|$)", re.IGNORECASE)
_BY_MORE_READS = frozenset(
    {
        SymptomKind.TRAFFIC,
        SymptomKind.QUERY_COUNT,
        SymptomKind.ROWS_READ,
        SymptomKind.SLOW_QUERIES,
        SymptomKind.CPU,
        SymptomKind.CONNECTIONS,
        SymptomKind.THREADS,
        SymptomKind.QUEUE,
    }
)


def failovers(states: dict[str, State], dependencies: Dependencies) -> list[Link]:
    """Where one of several callees fails, its share goes to the others, which may not bear it."""
    links = []
    for fallen in states.values():
        if fallen.harmed is None:
            continue
        for caller in dependencies.callers_of(fallen.part):
            above = states.get(caller)
            if above is not None and SymptomKind.TRAFFIC in above.kinds:
                continue
            callees = {callee for (one, callee), tie in dependencies.ties.items() if one == caller and tie is Tie.CALLS}
            for beside in callees - {fallen.part}:
                link = _failover(fallen, states.get(beside))
                if link is not None:
                    links.append(link)
    return links


def _failover(fallen: State, beside: State | None) -> Link | None:
    if beside is None or beside.harmed is None or fallen.harmed is None or SymptomKind.TRAFFIC in fallen.kinds:
        return None
    arrived = beside.kind_onsets.get(SymptomKind.TRAFFIC)
    if arrived is None or order(fallen.harmed, arrived) < _BEFORE or order(arrived, beside.harmed) < _NOT_AFTER:
        return None
    score = _FAILOVER + order(fallen.harmed, arrived)
    return Link(fallen.part, beside.part, score, f"the traffic of {fallen.part} moved to {beside.part}")


def fallen_through(states: dict[str, State], dependencies: Dependencies) -> Iterator[Link]:
    """Yield the links from caches to the stores that must serve what they no longer do."""
    for cache in states.values():
        if cache.harmed is None or not (SymptomKind.CACHE_MISSES in cache.kinds or _CACHE.search(cache.part)):
            continue
        for store in states.values():
            if _serves_instead(store, cache, dependencies) and store.harmed is not None:
                before = order(cache.harmed, store.harmed)
                if before >= _ABOUT_THEN:
                    why = f"what {cache.part} no longer serves is read from {store.part}"
                    yield Link(cache.part, store.part, _FALLEN_THROUGH + min(before, 0.5), why)


def _serves_instead(store: State, cache: State, dependencies: Dependencies) -> bool:
    """Whether the same callers ask both, the store shows more reads, and is no cache that fails alike."""
    if store.part == cache.part or not store.kinds & _BY_MORE_READS or _CACHE.search(store.part):
        return False
    if any(pair in dependencies.ties for pair in ((store.part, cache.part), (cache.part, store.part))):
        return False
    shared = dependencies.callers_of(cache.part) & dependencies.callers_of(store.part)
    return bool(shared) and not dependencies.callees_of(store.part)
