"""Which failures can have brought about which: every link that a dependency, the order and the kinds of signs allow.

A link is a log likelihood ratio: how much better "it spread from here to there" explains the victim's signs than
chance does. Failure runs against the calls, from callee to caller, unless the caller's load is what harms the callee.
The idea of weighing calls, time and kinds of events as causal edges is Groot's (Wang et al. 2021); that load runs the
other way than failure is MonitorRank's backward walk (Kim et al. 2013).
"""

from __future__ import annotations

from dataclasses import replace

from detection.chain.beside import failovers, fallen_through
from detection.chain.dependencies import Dependencies, Tie
from detection.chain.link import Link
from detection.chain.observed import OUTWARD
from detection.chain.states import Interval, State, order
from detection.types import SymptomKind

_BASE = {Tie.CALLS: 1.0, Tie.STORES: 1.0, Tie.RUNS_ON: 0.7, Tie.NAMES: 0.0, Tie.RESOLVES: 1.0}
_NAMED = 2.5
_LOAD_FROM_ABOVE = 1.5
_EXPLAINED_BY_LOAD = -2.5
_NOT_AFTER = -1.6
_SURGE = 1.0
_NAMES_ANOTHER = -2.0
_BEFORE = 0.2
_ABOUT_THEN = -1.0
_CRASHES_BY_ITSELF = -2.0
_LONG_AFTER_SECONDS = 180.0

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
_PER_REQUEST = frozenset({SymptomKind.QUERY_COUNT, SymptomKind.ROWS_READ})
_OF_MORE_QUERIES = _OF_LOAD | {SymptomKind.SLOW_QUERIES, SymptomKind.LOCKS, SymptomKind.DISK}
_BACKLOG = frozenset({SymptomKind.QUEUE, SymptomKind.MEMORY, SymptomKind.DISK, SymptomKind.TRAFFIC})


def possible_links(states: dict[str, State], dependencies: Dependencies) -> dict[tuple[str, str], Link]:
    """Return every link that is likelier than chance, by (source, target)."""
    links: dict[tuple[str, str], Link] = {}
    for (dependent, provider), tie in dependencies.ties.items():
        caller, callee = states.get(dependent), states.get(provider)
        if caller is None or callee is None:
            continue
        is_named = (dependent, provider) in dependencies.blamed
        down = _from_caller(caller, callee, tie, is_named) or _fan_out(caller, callee, dependencies)
        up = _from_callee(caller, callee, tie, is_named, down is not None)
        if up is not None and not is_named and tie in (Tie.CALLS, Tie.STORES):
            up = _unless_another_is_named(up, dependencies, states)
        possible = [link for link in (up, down) if link is not None]
        likely = [link for link in possible if not _was_over(link, states, dependencies)]
        better = max(likely, key=lambda link: link.score, default=None)
        if better is not None:
            links[better.source, better.target] = better
    for link in (*failovers(states, dependencies), *fallen_through(states, dependencies)):
        if (link.source, link.target) not in links and (link.target, link.source) not in links:
            links[link.source, link.target] = link
    return links


def _from_callee(caller: State, callee: State, tie: Tie, is_named: bool, is_load: bool) -> Link | None:
    """Failure runs from what is depended on to who depends on it."""
    holds_it = caller.only_uses and tie in (Tie.STORES, Tie.RUNS_ON)
    failed = callee.harmed_but_for(caller.part)
    if failed is None or caller.harmed is None or holds_it:
        return None
    suffers = caller.harmed_beside(callee.part) or caller.harmed
    score = _BASE[tie] + (_NAMED if is_named else 0.0) + order(failed, suffers)
    score += _EXPLAINED_BY_LOAD if is_load else 0.0
    score += _CRASHES_BY_ITSELF if not is_named and _is_merely_slow(callee) and _crashes_by_itself(caller) else 0.0
    if score <= 0:
        return None
    return Link(callee.part, caller.part, score, _why(caller.part, callee.part, tie, is_named), is_named)


def _was_over(link: Link, states: dict[str, State], dependencies: Dependencies) -> bool:
    """Whether the source was as usual again before the target's trouble began, and no text ties them.

    That somebody got no answer in a fraction of a second ties nobody.
    """
    is_tied = link.is_named and (link.target, link.source) not in dependencies.hasty
    over, harmed = states[link.source].over, states[link.target].harmed
    return not is_tied and over is not None and harmed is not None and over <= harmed.earliest


def _is_merely_slow(state: State) -> bool:
    return state.kinds == {SymptomKind.LATENCY}


def _crashes_by_itself(state: State) -> bool:
    """Whether it stumbles over its own code and waits for nobody."""
    return SymptomKind.CRASH in state.kinds and SymptomKind.TIMEOUTS not in state.kinds


def _unless_another_is_named(link: Link, dependencies: Dependencies, states: dict[str, State]) -> Link | None:
    """Errors that name one dependency speak against every other, but for trouble that came long after them.

    Nor do they if what they name suffers from this one too.
    """
    named = {other for one, other in dependencies.blamed if one == link.target and (one, other) in dependencies.ties}
    named = {one for one in named if (one, link.source) not in dependencies.ties}
    if not named or states[link.source].own_kinds or _was_well_after(states[link.target], named, link.source):
        return link
    score = link.score + _NAMES_ANOTHER
    return replace(link, score=score) if score > 0 else None


def _was_well_after(state: State, named: set[str], other: str) -> bool:
    """Whether it complained of those and was well for minutes, but for that, before what `other` can have done."""
    suffers = state.harmed_beside(other)
    complained = [onset.latest for parts, onset in state.complaints if parts & named]
    return suffers is not None and bool(complained) and suffers.earliest > min(complained) + _LONG_AFTER_SECONDS


def _why(caller: str, callee: str, tie: Tie, is_named: bool) -> str:
    if is_named:
        return f"the errors of {caller} name {callee}"
    return f"{caller} {tie.value} {callee}, which left its usual course no later"


def _from_caller(caller: State, callee: State, tie: Tie, is_named: bool) -> Link | None:
    """Load runs from the caller to the callee; a backlog, from the consumer that is slow to the queue."""
    if callee.harmed is None or tie in (Tie.RUNS_ON, Tie.RESOLVES):
        return None
    if _is_backlog(callee) and caller.harmed is not None and not is_named:
        # Who complains of how old its messages are is the one who takes them, whenever it says so.
        is_consumer = SymptomKind.QUEUE in caller.kinds
        after = 0.0 if is_consumer else order(caller.harmed, callee.harmed)
        if after > _ABOUT_THEN:
            return Link(
                caller.part,
                callee.part,
                _LOAD_FROM_ABOVE + after,
                f"{caller.part} fell behind, and {callee.part} filled up",
            )
    arrived = callee.kind_onsets.get(SymptomKind.TRAFFIC)
    if arrived is None and (passed := _passed_on(caller, callee)) is not None and not is_named:
        return passed
    # Only a text ties them: where more arrives at both, it does not say which of them passes it on.
    kinds = _MORE_WORK - {SymptomKind.TRAFFIC} if tie is Tie.NAMES else _MORE_WORK
    sent = [caller.kind_onsets[kind] for kind in kinds if kind in caller.kind_onsets]
    if tie is Tie.STORES or arrived is None or not sent or caller.harmed is None:
        return None
    first = min(sent, key=lambda onset: onset.latest)
    failed = callee.harmed_but_for(caller.part) or callee.harmed
    sent_before, came_before = order(first, failed), order(arrived, failed)
    before = min(sent_before, came_before)
    is_in_answer = SymptomKind.RETRIES in caller.kinds and (sent_before < _BEFORE or came_before < 0)
    if before < _NOT_AFTER or is_in_answer:
        return None
    score = _LOAD_FROM_ABOVE + min(before, 0.5) + (_SURGE if callee.kinds <= _OF_LOAD else 0.0)
    if score <= 0:
        return None
    return Link(caller.part, callee.part, score, f"{caller.part} sent {callee.part} more work than it can do")


def _passed_on(caller: State, callee: State) -> Link | None:
    """A crowd that came to the caller clearly before is what a callee bears that does not count its own."""
    came = caller.kind_onsets.get(SymptomKind.TRAFFIC)
    if came is None or callee.harmed is None or caller.harmed is None or not callee.kinds <= _OF_MORE_QUERIES:
        return None
    before = order(came, callee.harmed)
    if before < _BEFORE or SymptomKind.RETRIES in caller.kinds | callee.kinds:
        return None
    why = f"{caller.part} passed on to {callee.part} more work than it can do"
    return Link(caller.part, callee.part, _LOAD_FROM_ABOVE + before, why)


def _fan_out(caller: State, callee: State, dependencies: Dependencies) -> Link | None:
    """One request of the caller makes more calls or queries than before, and the callee bears the load.

    Its signs say so (queries or rows per request), or it is the only one who calls, takes no more requests itself than
    before, and yet more arrives. The caller must not suffer clearly later: then the callee failed first.
    """
    if callee.harmed is None or caller.harmed is None or not callee.kinds <= _OF_MORE_QUERIES:
        return None
    if (caller.part, callee.part) not in dependencies.ties or caller.part not in dependencies.callers_of(callee.part):
        return None
    counted = [caller.kind_onsets[kind] for kind in _PER_REQUEST if kind in caller.kind_onsets]
    first = min(counted, key=lambda onset: onset.latest, default=None) or _sent_unseen(caller, callee, dependencies)
    if first is None:
        return None
    before = order(first, callee.harmed)
    if before < _NOT_AFTER:
        return None
    why = f"{caller.part} asks {callee.part} more for each request than before"
    return Link(caller.part, callee.part, _LOAD_FROM_ABOVE + min(before, 0.5), why)


def _sent_unseen(caller: State, callee: State, dependencies: Dependencies) -> Interval | None:
    """Return since when the only caller suffers, if what it sends must have risen though nothing counts it."""
    arrived = callee.kind_onsets.get(SymptomKind.TRAFFIC)
    suffers = [caller.kind_onsets[kind] for kind in OUTWARD if kind in caller.kind_onsets]
    is_named = (caller.part, callee.part) in dependencies.blamed
    is_alone = dependencies.callers_of(callee.part) == {caller.part} and not is_named
    if arrived is None or not suffers or not is_alone or SymptomKind.TRAFFIC in caller.kinds or callee.harmed is None:
        return None
    # Who asks others itself is asked again where those are slow.
    if dependencies.callees_of(callee.part):
        return None
    # What is counted may be its own calls that it repeats, and others repeat theirs where it is slow.
    repeats = SymptomKind.RETRIES in caller.kinds | callee.kinds
    is_in_answer = order(arrived, callee.harmed) < _NOT_AFTER or repeats
    return None if is_in_answer else min(suffers, key=lambda onset: onset.latest)


def _is_backlog(state: State) -> bool:
    """Whether it filled up, and whatever else it shows came no earlier: a full queue refuses more in the end."""
    filled = state.kind_onsets.get(SymptomKind.QUEUE)
    others = [onset for kind, onset in state.kind_onsets.items() if kind not in _BACKLOG]
    return filled is not None and all(order(filled, onset) > _BEFORE for onset in others)
