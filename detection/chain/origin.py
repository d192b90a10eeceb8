"""Where it began: the part from which the trouble can have reached the most of what is seen, in the right order.

Each candidate is scored by the likeliest tree of links that grows from it (a maximum-likelihood arborescence, grown
in the order in which the parts failed), less what stays unexplained, and by what its own signs say: resources, locks
and crashes begin somewhere; timeouts and errors that name somebody else do not. Reaching the part that raised the alarm
is a must, as in MonitorRank (Kim et al. 2013); judging a part by its own trouble given its callees' is CIRCA's (Li et
al. 2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from detection.chain.dependencies import Dependencies
from detection.chain.link import Link
from detection.chain.states import State, order

_UNEXPLAINED = -2.0
_OWN_KINDS = 0.8
_NAMES_ANOTHER = -2.5
_EXPLAINED_BY_ANOTHER = -1.0
_MOST_OF_A_LINK = 3.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One part as the origin. grown: the tree's links in the order in which it grew. score: log likelihood ratio."""

    part: str
    grown: tuple[Link, ...]
    score: float

    @property
    def reached(self) -> tuple[str, ...]:
        """The victims, nearest first."""
        return tuple(link.target for link in self.grown)


def candidates(
    states: dict[str, State],
    links: dict[tuple[str, str], Link],
    dependencies: Dependencies,
    alerted: str | None,
) -> list[Candidate]:
    """Return the parts that can be the origin, likeliest first. With `alerted`, only those that can have reached it."""
    found = []
    for part, state in states.items():
        if state.harmed is None or (state.only_uses and part != alerted and not _reaches_any(part, links)):
            continue
        grown = grow(part, links, states)
        if alerted in states and part != alerted and alerted not in {link.target for link in grown}:
            continue
        score = _score(state, grown, states, links, dependencies, alerted)
        found.append(Candidate(part, grown, score))
    return sorted(found, key=lambda one: (-one.score, one.part))


def _reaches_any(part: str, links: dict[tuple[str, str], Link]) -> bool:
    return any(source == part for source, _ in links)


def grow(origin: str, links: dict[tuple[str, str], Link], states: dict[str, State]) -> tuple[Link, ...]:
    """Grow the tree from the origin in the order in which the parts failed, each by its likeliest link.

    A part whose errors name another waits until that one is reached, if it can be.
    """
    possible = _reachable(origin, links)
    reached = {origin}
    grown: list[Link] = []
    while True:
        border = [link for (source, target), link in links.items() if source in reached and target not in reached]
        if not border:
            return tuple(grown)
        waiting = {link.target for link in links.values() if link.is_named and link.source in possible - reached}
        target = min({link.target for link in border}, key=lambda part: (part in waiting, *_failed(states[part])))
        grown.append(
            max((link for link in border if link.target == target), key=lambda link: (link.score, link.source))
        )
        reached.add(target)


def _failed(state: State) -> tuple[float, float, str]:
    onset = state.harmed
    return (onset.latest, onset.earliest, state.part) if onset else (math.inf, math.inf, state.part)


def _reachable(origin: str, links: dict[tuple[str, str], Link]) -> set[str]:
    reached, border = {origin}, [origin]
    while border:
        part = border.pop()
        for source, target in links:
            if source == part and target not in reached:
                reached.add(target)
                border.append(target)
    return reached


def _score(
    state: State,
    grown: tuple[Link, ...],
    states: dict[str, State],
    links: dict[tuple[str, str], Link],
    dependencies: Dependencies,
    alerted: str | None,
) -> float:
    """Add up what the tree explains, what it leaves, and what the origin's own signs say."""
    reached = {state.part, *(link.target for link in grown)}
    score = sum(min(link.score, _MOST_OF_A_LINK) for link in grown)
    score += sum(_UNEXPLAINED for other in _of_this_incident(states, links, alerted) - reached)
    score += _OWN_KINDS * min(len(state.own_kinds), 2)
    into = [link for (_, target), link in links.items() if target == state.part and link.source not in reached]
    score += sum(_EXPLAINED_BY_ANOTHER * min(link.score, _MOST_OF_A_LINK) for link in into)
    for one, other in dependencies.blamed:
        named = states.get(other)
        if one == state.part and named is not None and named.harmed is not None:
            score += _NAMES_ANOTHER
    if state.harmed is not None:
        for other in reached - {state.part}:
            harmed = states[other].harmed
            if harmed is not None:
                score += min(order(state.harmed, harmed), 0.0) / 2
    return score


def _of_this_incident(states: dict[str, State], links: dict[tuple[str, str], Link], alerted: str | None) -> set[str]:
    """Return the harmed parts that the alarm's own trouble hangs together with, by links in whichever direction."""
    if alerted not in states:
        return {part for part, state in states.items() if state.harmed is not None and not state.only_uses}
    together, border = {alerted}, [alerted]
    while border:
        part = border.pop()
        for source, target in links:
            for one, other in ((source, target), (target, source)):
                if one == part and other not in together:
                    together.add(other)
                    border.append(other)
    return {part for part in together if part is not None}


def certainty(found: list[Candidate], harmed: int, *, is_paged: bool) -> float:
    """Return how sure the first candidate is, 0 to 1: its share among all, less where much stays unexplained.

    Without an alarm nothing says that the trouble is one incident, so no more than about even odds.
    """
    if not found:
        return 0.0
    best = found[0].score
    share = 1.0 / sum(math.exp(max(one.score - best, -30.0)) for one in found)
    explained = (1 + len(found[0].grown)) / max(harmed, 1)
    support = 1 - math.exp(-(len(found[0].grown) + 1) / 1.5)
    most = 0.95 if is_paged else 0.6
    return round(most * share * math.sqrt(min(explained, 1.0)) * support, 3)
