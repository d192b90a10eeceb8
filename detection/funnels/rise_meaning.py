"""Interpret a rise of a conversion rate: more users convert, or fewer users are counted as entering."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from detection.funnels.cohorts import gathered
from detection.statistics.baselines import HOUR_SECONDS, hours_of_week
from detection.types import Finding, Floats, FunnelDriftDetails, FunnelRiseDetails, FunnelSeries, RiseReading

_ENOUGH, _MISSING = 0.8, 0.5
"""Shares of the usual entries: from the first on, a rise is real; below the second, entries are missing."""


def read_rise(rise: Finding, past: FunnelSeries, *, timezone: str) -> Finding:
    """Add to the details of a rise `reading` and `usual_entries`, the usual number in its window.

    past: the hourly series of the same segment. A rate can also rise because its denominator shrinks: when the first
    step is no longer tracked for some users, only the rate of the others is measured.
    """
    usual = usual_entries(past, since=rise.window_start, until=rise.window_end, timezone=timezone)
    share = rise.sample_size / usual if usual else 1.0
    reading = RiseReading.BETTER if share >= _ENOUGH else RiseReading.UNCLEAR
    if share < _MISSING:
        reading = RiseReading.ENTRIES_MISSING
    assert isinstance(rise.details, FunnelRiseDetails | FunnelDriftDetails)
    return replace(rise, details=replace(rise.details, reading=reading, usual_entries=round(usual, 1)))


def usual_entries(past: FunnelSeries, *, since: float, until: float, timezone: str) -> float:
    """Estimate the usual entries in [since, until) as the median of the same hours of the day before `since`.

    If the median of the same hour of the week is lower, it is used instead, because of weekends. 0.0 without history.
    """
    first = float(past.bucket_starts.min()) if past.bucket_starts.size else since
    hours = gathered([past], 0.0, since=first, until=since, bucket_seconds=HOUR_SECONDS)
    weekly = hours_of_week(hours.bucket_starts, timezone)
    wanted: Floats = np.arange(since // HOUR_SECONDS, np.ceil(until / HOUR_SECONDS), dtype=np.float64) * HOUR_SECONDS
    total = 0.0
    for start, hour in zip(wanted.tolist(), hours_of_week(wanted, timezone).tolist(), strict=True):
        share = (min(until, start + HOUR_SECONDS) - max(since, start)) / HOUR_SECONDS
        same_day, same_week = hours.entries[0, weekly % 24 == hour % 24], hours.entries[0, weekly == hour]
        if same_day.size:
            usual = float(np.median(same_day))
            total += share * (min(usual, float(np.median(same_week))) if same_week.size else usual)
    return total
