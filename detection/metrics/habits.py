"""Recognise habits of a metric, which are no incidents: a nightly batch, or a disk that is cleaned up in time."""

from __future__ import annotations

import math

import numpy as np

from detection.types import Floats, MetricSeries

_DAY_SECONDS = 86_400.0
_HALF_HOUR = 1800.0
_TIME_OF_DAY_TOLERANCE_SECONDS = 2.5 * 3600
_SIMILAR_DISTANCE = 0.8
_ONE_DAY_IN = 4
_RISE_SECONDS = 3 * 3600.0
_MINIMUM_CROSSING_HOURS = 4
"""A single excursion over a level and back crosses it in two or three hours."""


def is_habit(run: Floats, level: float, past: MetricSeries, *, now: float) -> bool:
    """Whether the metric was about as far from the level within 2.5 h of this time on one in four of the past days.

    run: the newest buckets, all on the same side of the level. past: hourly buckets with their lows and highs; without
    lows and highs the answer is False.
    """
    if past.lows is None or past.highs is None:
        return False
    age = now - past.bucket_starts - _HALF_HOUR
    days = np.round(age / _DAY_SECONDS)
    near = (days >= 1) & (np.abs(age - days * _DAY_SECONDS) <= _TIME_OF_DAY_TOLERANCE_SECONDS)
    if run[-1] > level:
        reached = past.highs >= level + _SIMILAR_DISTANCE * (run.min() - level)
    else:
        reached = past.lows <= level + _SIMILAR_DISTANCE * (run.max() - level)
    known = len(np.unique(days[near]))
    return known > 0 and len(np.unique(days[near & reached])) >= math.ceil(known / _ONE_DAY_IN)


def comes_and_goes(level: float, past: MetricSeries, *, now: float) -> bool:
    """Whether a metric has crossed this level repeatedly, so that crossing it is no lasting trend.

    past: hourly buckets with their lows and highs. The last 3 h are ignored because they may hold the rise itself.
    """
    if past.lows is None or past.highs is None:
        return False
    older = past.bucket_starts < now - _RISE_SECONDS
    return int((older & (past.lows < level) & (past.highs >= level)).sum()) >= _MINIMUM_CROSSING_HOURS
