"""Change-point estimation: the time from which a broken level explains the data better than the normal level.

The normal level is known from the baseline, so this is the likelihood-ratio estimate behind CUSUM (Page 1954; Lorden
1971): the time at which the running evidence was lowest. It needs no penalty and finds the latest break after a
recovery. Its profile likelihood gives a confidence interval for the change.
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
    """When a change began, in seconds, with its confidence interval (about 95 %)."""

    at: float
    low: float
    high: float


def share_onset(starts: Floats, successes: Floats, trials: Floats, *, normal: float, broken: float) -> Onset:
    """Estimate when a share broke, from (n,) successes and trials in regular buckets, n >= 2.

    normal and broken are levels as in `mean_onset`.
    """
    usual = float(np.clip(normal, 1e-6, 1 - 1e-6))

    def evidence(level: float) -> Floats:
        other = float(np.clip(level, 1e-6, 1 - 1e-6))
        failures = trials - successes
        return np.asarray(xlogy(successes, other / usual) + xlogy(failures, (1 - other) / (1 - usual)))

    return _onset(starts, successes, trials, evidence, normal=usual, broken=broken)


def mean_onset(
    starts: Floats, sums: Floats, counts: Floats, *, normal: float, broken: float, deviation: float
) -> Onset:
    """Estimate when a mean broke, from (n,) sums and counts in regular buckets, n >= 2.

    deviation is the standard deviation of a single value. normal is the baseline's level. broken is a first guess at
    the level now; it may be diluted if its window starts before the change, so it is estimated again from the data
    after the change-point until it no longer moves.
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
        estimate = float(sums[change:].sum() / max(counts[change:].sum(), 1.0))
        if (estimate - normal) * (broken - normal) <= 0 or estimate == level:
            break
        level = estimate
    likely = np.flatnonzero(running <= running[change] + _LIKELY)
    own = _broken_part(sums[change], counts[change], normal, level)
    before = _broken_part(sums[change - 1], counts[change - 1], normal, level) if change else 0.0
    at = float(starts[change]) + width * (1.0 - own - before)
    return Onset(at, float(starts[likely[0]]) - width, float(starts[likely[-1]]) + width)


def _broken_part(total: float, count: float, normal: float, broken: float) -> float:
    """Return the part of a bucket that lies after the change, 0 to 1, from how close its level is to the broken one.

    The change lies within the first broken bucket or the last normal one; their levels tell how far in.
    """
    if normal == broken:
        return 1.0
    return float(np.clip((total / count - normal) / (broken - normal), 0.0, 1.0)) if count else 0.0
