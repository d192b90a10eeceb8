"""Find calls that a part no longer makes: what it calls gets less work, though as much work as ever comes to the part.

Code that fails before its calls, or returns without them, is often fast and quiet; the parts below it show it. The
calls are not seen themselves, only the load of each part (its requests a minute), so this needs no spans. Expected
events that did not happen are clues in Nezha too (Yu et al. 2023).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from detection.chain.suspects.ranking import ClueKind, Reading, reading_clue
from detection.types import Floats

Load = tuple[Floats, Floats]
"""(n,) times, seconds UTC, ascending; (n,) requests in the minute of each."""

_ALIKE_SHARE = 0.1
_MINUTE = 60.0


def missing_calls(
    loads: Mapping[str, Load], calls: Iterable[tuple[str, str]], *, during: tuple[float, float], onset: float
) -> list[Reading]:
    """Return for each callee the share of its usual calls that are missing, as a reading of its caller.

    calls: (caller, callee). onset: the loads before it are normal. A callee that several parts call is a reading of
    the one with whose load its own has changed the least: the loss begins above that caller, or not here.
    """
    found: dict[str, list[Reading]] = defaultdict(list)
    for caller, callee in sorted(set(calls)):
        if caller != callee and caller in loads and callee in loads:
            found[callee] += _of_edge(caller, callee, loads, during, onset)
    least = (_least(readings) for readings in found.values())
    return [reading for reading in least if reading is not None]


def _of_edge(
    caller: str, callee: str, loads: Mapping[str, Load], during: tuple[float, float], onset: float
) -> Iterator[Reading]:
    minutes, own, theirs = _together(loads[caller], loads[callee])
    worked = own > 0
    at, per_request = minutes[worked], theirs[worked] / own[worked]
    before = at < onset
    usual = float(np.median(per_request[before])) if before.any() else 0.0
    if usual <= 0:
        return
    missing = 1 - per_request / usual
    now = (at >= during[0]) & (at < during[1])
    name = f"calls of {callee}"
    yield Reading(caller, ClueKind.MISSING_CALLS, name, missing[before], missing[now], _ALIKE_SHARE)


def _together(one: Load, other: Load) -> tuple[Floats, Floats, Floats]:
    """Return the minutes, seconds UTC, that both have, and the load of each in them."""
    numbers = [np.round(times / _MINUTE) for times, _ in (one, other)]
    both, first, second = np.intersect1d(numbers[0], numbers[1], return_indices=True)
    return both * _MINUTE, one[1][first], other[1][second]


def _least(readings: list[Reading]) -> Reading | None:
    """Return the reading that departs the least; None if one does not depart at all."""
    clues = [(reading_clue(reading), reading) for reading in readings]
    if not clues or any(clue is None for clue, _ in clues):
        return None
    return min(clues, key=lambda one: one[0].surprise if one[0] is not None else 0.0)[1]
