"""Recognise that a metric crosses a level as a habit, such as a disk that is cleaned up in time."""

from __future__ import annotations

from detection.types import MetricSeries

_RISE_SECONDS = 3 * 3600.0
_MINIMUM_CROSSING_HOURS = 4
"""A single excursion over a level and back crosses it in two or three hours."""


def comes_and_goes(level: float, past: MetricSeries, *, now: float) -> bool:
    """Whether a metric has crossed this level repeatedly, so that crossing it is no lasting trend.

    past: hourly buckets with their lows and highs. The last 3 h are ignored because they may hold the rise itself.
    """
    if past.lows is None or past.highs is None:
        return False
    older = past.bucket_starts < now - _RISE_SECONDS
    return int((older & (past.lows < level) & (past.highs >= level)).sum()) >= _MINIMUM_CROSSING_HOURS
