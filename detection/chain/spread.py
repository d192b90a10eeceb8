"""Which failures can have brought about which: every link that a dependency, the order and the kinds of signs allow.

A link is a log likelihood ratio: how much better "it spread from here to there" explains the victim's signs than
chance does. Failure runs against the calls, from callee to caller, unless the caller's load is what harms the callee.
The idea of weighing calls, time and kinds of events as causal edges is Groot's (Wang et al. 2021); that load runs the
other way than failure is MonitorRank's backward walk (Kim et al. 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

from detection.chain.dependencies import Dependencies, Tie
from detection.chain.states import State, order
from detection.types import SymptomKind

_BASE = {Tie.CALLS: 1.0, Tie.STORES: 1.0, Tie.RUNS_ON: 0.7, Tie.NAMES: 0.0, Tie.RESOLVES: 1.0}
_NAMED = 2.5
_LOAD_FROM_ABOVE = 1.5
_EXPLAINED_BY_LOAD = -2.5
_NOT_AFTER = -1.6
_SURGE = 1.0
_FAILOVER = 0.3
_BEFORE = 0.2
_ABOUT_THEN = -1.0

_MORE_WORK = frozenset({SymptomKind.TRAFFIC, SymptomKind.QUERY_COUNT, SymptomKind.RETRIES, SymptomKind.ROWS_READ})
_OF_LOAD = _MORE_WORK | {
    SymptomKind.CPU,
    SymptomKind.QUEUE,
    SymptomKind.LATENCY,
    SymptomKind.ERRORS,
    SymptomKind.TIMEOUTS,
    SymptomKind.THREADS,
    SymptomKind.CONNECTIONS,
    SymptomKind.THROTTLED,
    SymptomKind.MEMORY,
}
_BACKLOG = frozenset({SymptomKind.QUEUE, SymptomKind.MEMORY, SymptomKind.DISK, SymptomKind.TRAFFIC})


@dataclass(frozen=True, slots=True)
class Link:
    """It can have spread from `source` to `target`. score: log likelihood ratio. is_named: the errors say it."""

    source: str
    target: str
    score: float
    why: str
    is_named: bool = False


def possible_links(states: dict[str, State], dependencies: Dependencies) -> dict[tuple[str, str], Link]:
    """Return every link that is likelier than chance, by (source, target)."""
    links: dict[tuple[str, str], Link] = {}
    for (dependent, provider), tie in dependencies.ties.items():
        caller, callee = states.get(dependent), states.get(provider)
        if caller is None or callee is None:
            continue
        is_named = (dependent, provider) in dependencies.blamed
        down = _from_caller(caller, callee, tie, is_named)
        up = _from_callee(caller, callee, tie, is_named, down is not None)
        better = max((link for link in (up, down) if link is not None), key=lambda link: link.score, default=None)
        if better is not None:
            links[better.source, better.target] = better
    for link in _failovers(states, dependencies):
        if (link.source, link.target) not in links and (link.target, link.source) not in links:
            links[link.source, link.target] = link
    return links


def _from_callee(caller: State, callee: State, tie: Tie, is_named: bool, is_load: bool) -> Link | None:
    """Failure runs from what is depended on to who depends on it."""
    holds_it = caller.only_uses and tie in (Tie.STORES, Tie.RUNS_ON)
    if callee.harmed is None or caller.harmed is None or holds_it:
        return None
    score = _BASE[tie] + (_NAMED if is_named else 0.0) + order(callee.harmed, caller.harmed)
    score += _EXPLAINED_BY_LOAD if is_load else 0.0
    if score <= 0:
        return None
    return Link(callee.part, caller.part, score, _why(caller.part, callee.part, tie, is_named), is_named)


def _why(caller: str, callee: str, tie: Tie, is_named: bool) -> str:
    if is_named:
        return f"the errors of {caller} name {callee}"
    return f"{caller} {tie.value} {callee}, which left its usual course no later"


def _from_caller(caller: State, callee: State, tie: Tie, is_named: bool) -> Link | None:
    """Load runs from the caller to the callee; a backlog, from the consumer that is slow to the queue."""
    if callee.harmed is None or tie in (Tie.RUNS_ON, Tie.RESOLVES):
        return None
    if _is_backlog(callee) and caller.harmed is not None and not is_named:
        after = order(caller.harmed, callee.harmed)
        if after > _ABOUT_THEN:
            return Link(
                caller.part,
                callee.part,
                _LOAD_FROM_ABOVE + after,
                f"{caller.part} fell behind, and {callee.part} filled up",
            )
    arrived = callee.kind_onsets.get(SymptomKind.TRAFFIC)
    sent = [caller.kind_onsets[kind] for kind in _MORE_WORK if kind in caller.kind_onsets]
    if tie is Tie.STORES or arrived is None or not sent or caller.harmed is None:
        return None
    first = min(sent, key=lambda onset: onset.latest)
    before = min(order(first, callee.harmed), order(arrived, callee.harmed))
    is_in_answer = SymptomKind.RETRIES in caller.kinds and before < _BEFORE
    if before < _NOT_AFTER or is_in_answer:
        return None
    score = _LOAD_FROM_ABOVE + min(before, 0.5) + (_SURGE if callee.kinds <= _OF_LOAD else 0.0)
    if score <= 0:
        return None
    return Link(caller.part, callee.part, score, f"{caller.part} sent {callee.part} more work than it can do")


def _is_backlog(state: State) -> bool:
    return SymptomKind.QUEUE in state.kinds and state.kinds <= _BACKLOG


def _failovers(states: dict[str, State], dependencies: Dependencies) -> list[Link]:
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
