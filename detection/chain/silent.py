"""A part that shows no sign itself, and is what the errors of those that depend on it complain of.

A service without telemetry, a provider, a pool or a resolver is known only by what its callers write. How much that
counts depends on what it would show if it were well.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from detection.chain.dependencies import Dependencies, Tie
from detection.chain.observed import BYSTANDER
from detection.chain.states import Interval, State
from detection.types import SymptomKind

_ASKING = frozenset(
    {
        SymptomKind.QUEUE,
        SymptomKind.THREADS,
        SymptomKind.CONNECTIONS,
        SymptomKind.NETWORK,
        SymptomKind.CERTIFICATE,
        SymptomKind.AUTHENTICATION,
        SymptomKind.NAME_LOOKUP,
        SymptomKind.THROTTLED,
    }
)
"""Kinds that waiting for somebody, or asking in vain, brings about in who asks."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of parts without a sign, as in `Surroundings`."""

    heard: Collection[str]
    measured: Collection[str]
    differing: Collection[str]


_UNHEARD, _HEARD, _MEASURED_WELL = 1, 2, 3


def with_silent_parts(
    states: dict[str, State],
    dependencies: Dependencies,
    known: Known,
) -> dict[str, State]:
    """Return the states with one added for each part without a sign that enough others complain of.

    One complaint is enough of a part that somebody declared and nothing is ever heard of, by one that shows only what
    asking in vain brings about and does not give up within a fraction of a second. Two are needed of a part that is
    heard, or that only the errors name, and three of one whose own latency or errors are measured and keep their
    course: it may answer quickly, and wrongly. Where something else of it differs, two are enough of it as well, and
    where it is no longer asked: of what does not reach it, it measures nothing.
    """
    added = dict(states)
    unasked = {part for part, state in states.items() if state.kinds == {SymptomKind.TRAFFIC_LOST}}
    known = replace(known, differing={*known.differing, *unasked})
    named: dict[str, set[str]] = {}
    for one, other in dependencies.patient | dependencies.hasty:
        state = states.get(one)
        if _is_silent(other, states) and state is not None and state.harmed is not None:
            named.setdefault(other, set()).add(one)
    for part, complaining in named.items():
        if len(complaining) >= _needed(part, complaining, states, dependencies, known):
            added[part] = _told_by(part, complaining, states)
    return added


def _is_silent(part: str, states: dict[str, State]) -> bool:
    return part not in states or states[part].kinds <= BYSTANDER


def _needed(
    part: str,
    complaining: Collection[str],
    states: dict[str, State],
    dependencies: Dependencies,
    known: Known,
) -> int:
    if part in known.measured:
        return _MEASURED_WELL - (part in known.differing)
    is_known = all(
        (one, part) in dependencies.declared and dependencies.ties.get((one, part)) is not Tie.NAMES
        for one in complaining
    )
    only_asks = all(states[one].own_kinds <= _ASKING and (one, part) not in dependencies.hasty for one in complaining)
    return _UNHEARD if part not in known.heard and is_known and only_asks else _HEARD


def _told_by(part: str, complaining: Collection[str], states: dict[str, State]) -> State:
    onsets = [onset for one in complaining if (onset := states[one].harmed) is not None]
    onset = Interval(min(one.earliest for one in onsets), min(one.latest for one in onsets))
    kind = SymptomKind.ERRORS
    return State(part, frozenset({kind}), onset, None, {kind: onset}, 1.0, frozenset(complaining))
