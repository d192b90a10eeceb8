"""Since when: the change-point after which what was seen is explained better by a broken level than by the normal one.

With the normal level known from the baseline this is the likelihood-ratio estimate behind CUSUM (Page 1954; Lorden
1971): the moment at which the running evidence was lowest. It needs no penalty, finds the latest break after a
recovery, and its profile likelihood gives the interval in which the change must lie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from detection.types import Floats

_LIKELY = 1.92
"""Half the 95 % point of chi-squared with one degree of freedom."""

_PASSES = 4


@dataclass(frozen=True, slots=True)
class Onset:
    """When a change began, in seconds, and the interval in which it must lie (about 95 %)."""

    at: float
    low: float
    high: float


def share_onset(starts: Floats, successes: Floats, trials: Floats, *, normal: float, broken: float) -> Onset:
    """Since when a share is broken: (n,) successes of trials in regular buckets, n >= 2; levels as for `mean_onset`."""
    usual = float(np.clip(normal, 1e-6, 1 - 1e-6))

    def evidence(level: float) -> Floats:
        other = float(np.clip(level, 1e-6, 1 - 1e-6))
        failures = trials - successes
        return np.asarray(xlogy(successes, other / usual) + xlogy(failures, (1 - other) / (1 - usual)))

    return _onset(starts, successes, trials, evidence, normal=usual, broken=broken)


def mean_onset(
    starts: Floats, sums: Floats, counts: Floats, *, normal: float, broken: float, deviation: float
) -> Onset:
    """Since when a mean is broken: (n,) sums over counts in regular buckets, n >= 2; `deviation` is a single value's.

    normal is the baseline's level, broken a first guess at the level now, which may be watered down by a window that
    reaches back before the change: it is estimated again from what follows the change-point until that stays put.
    """

    def evidence(level: float) -> Floats:
        return np.asarray((sums * (level - normal) - counts * (level**2 - normal**2) / 2) / deviation**2)

    return _onset(starts, sums, counts, evidence, normal=normal, broken=broken)


def _onset(
    starts: Floats, sums: Floats, counts: Floats, evidence: Callable[[float], Floats], *, normal: float, broken: float
) -> Onset:
    width = float(starts[1] - starts[0])
    change, level = 0, broken
    for _ in range(_PASSES):
        running = np.concatenate([[0.0], np.cumsum(evidence(level))])[:-1]
        change = int(np.argmin(running))
        again = float(sums[change:].sum() / max(counts[change:].sum(), 1.0))
        if (again - normal) * (broken - normal) <= 0 or again == level:
            break
        level = again
    likely = np.flatnonzero(running <= running[change] + _LIKELY)
    own = _broken_part(sums[change], counts[change], normal, level)
    before = _broken_part(sums[change - 1], counts[change - 1], normal, level) if change else 0.0
    at = float(starts[change]) + width * (1.0 - own - before)
    return Onset(at, float(starts[likely[0]]) - width, float(starts[likely[-1]]) + width)


def _broken_part(total: float, count: float, normal: float, broken: float) -> float:
    """Return for how much of a bucket the change had happened: how far its level lies toward the broken one.

    The change falls within the first broken bucket or the last normal one; the level of either says how far in.
    """
    if normal == broken:
        return 1.0
    return float(np.clip((total / count - normal) / (broken - normal), 0.0, 1.0)) if count else 0.0
