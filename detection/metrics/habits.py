"""What a metric does again and again: a nightly batch is no trouble, and a tank that is emptied in time never full."""

from __future__ import annotations

import math

import numpy as np

from detection.types import Floats, MetricSeries

_DAY_SECONDS = 86_400.0
_HALF_HOUR = 1800.0
_ABOUT_SECONDS = 2.5 * 3600
_AS_FAR = 0.8
_ONE_DAY_IN = 4
_RISE_SECONDS = 3 * 3600.0
_PASSED_OFTEN = 4
"""Hours: one that went over a level and came back takes two, perhaps three."""


def is_habit(run: Floats, level: float, past: MetricSeries, *, now: float) -> bool:
    """Whether about as far from the level was reached within 2.5 h of this time on one in four of the past days.

    run: the newest buckets, all on one side of the level. past: hourly buckets with their lows and highs; without those
    nothing is known to be a habit.
    """
    if past.lows is None or past.highs is None:
        return False
    age = now - past.bucket_starts - _HALF_HOUR
    days = np.round(age / _DAY_SECONDS)
    near = (days >= 1) & (np.abs(age - days * _DAY_SECONDS) <= _ABOUT_SECONDS)
    if run[-1] > level:
        reached = past.highs >= level + _AS_FAR * (run.min() - level)
    else:
        reached = past.lows <= level + _AS_FAR * (run.max() - level)
    known = len(np.unique(days[near]))
    return known > 0 and len(np.unique(days[near & reached])) >= math.ceil(known / _ONE_DAY_IN)


def comes_and_goes(level: float, past: MetricSeries, *, now: float) -> bool:
    """Whether a metric has passed this level again and again, and so is not on its way past it for good.

    past: hourly buckets with their lows and highs. What lies less than 3 h back may be the rise itself.
    """
    if past.lows is None or past.highs is None:
        return False
    older = past.bucket_starts < now - _RISE_SECONDS
    return int((older & (past.lows < level) & (past.highs >= level)).sum()) >= _PASSED_OFTEN
