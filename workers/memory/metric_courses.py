"""What is usual for every custom metric in an hour, by its past hours in which it was not broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.metrics.series import metric_subject
from detection.metrics.usual_course import HOURS_A_DAY, HOURS_A_WEEK, MOST_DAYS, expected_levels, is_new_kind_of_day
from detection.statistics.baselines import Mask, hours_of_week
from detection.types import Floats, Integers, Metric
from storage.telemetry.protocol import COARSE_SECONDS
from workers.memory.broken_times import PastIncident, excluded_times, overlapping_hours
from workers.memory.metric_buckets import Key, MetricBuckets


@dataclass(frozen=True, slots=True)
class UsualCourse:
    """What is usual in an hour, by series number. Series first seen later are not in it.

    without_clock_change: what is usual if the metric does not follow the clock on the wall when summer time begins or
    ends, as a batch that is planned in UTC does not. doubtful: where no day of this kind was seen before.
    """

    hour: float
    hours_known: int
    expected: Floats
    without_clock_change: Floats
    doubtful: Mask

    def holds_at(self, at: float, buckets: MetricBuckets) -> bool:
        """Whether it still holds at a time, with the hours that are known."""
        return (self.hour, self.hours_known) == (_hour_of(at), len(buckets.hours))

    def of(self, rows: Integers, values: Floats) -> tuple[Floats, Mask]:
        """Return what is usual for these series, (n,), by the clock that is nearer to their values; and the doubtful.

        NaN where it is unknown.
        """
        expected, doubtful = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=bool)
        known = rows < len(self.expected)
        by_clock, by_sun, found = self.expected[rows[known]], self.without_clock_change[rows[known]], values[known]
        expected[known] = np.where(np.abs(found - by_sun) < np.abs(found - by_clock), by_sun, by_clock)
        doubtful[known] = self.doubtful[rows[known]]
        return expected, doubtful


def usual_course(
    buckets: MetricBuckets, at: float, *, timezone: str, normal_since: Floats, past: Sequence[PastIncident]
) -> UsualCourse:
    """Return the usual course in the hour of `at`.

    normal_since: (m,) since when the present normal of the first m series holds; NaN where none is remembered. past:
    present and past incidents, whose hours are left out.
    """
    hour = _hour_of(at)
    starts = np.arange(hour - MOST_DAYS * HOURS_A_DAY * COARSE_SECONDS, hour, COARSE_SECONDS)
    every = buckets.matrix(buckets.hours, starts.tolist())
    for row in np.flatnonzero(~np.isnan(normal_since)).tolist():
        every[row, starts < normal_since[row]] = np.nan
    unbroken = every.copy()
    for row, key in _with_incident(buckets, past):
        for began, ended in excluded_times(past, fingerprint_of(key), at):
            unbroken[row, overlapping_hours(starts, began, ended)] = np.nan
    by_clock = hours_of_week(np.append(starts, hour), timezone)
    by_sun = hours_of_week(np.append(starts, hour), "UTC")
    expected = _expected(unbroken, every, by_clock)
    same = np.array_equal(np.diff(by_clock) % HOURS_A_WEEK, np.diff(by_sun) % HOURS_A_WEEK)
    return UsualCourse(
        hour,
        len(buckets.hours),
        expected,
        expected if same else _expected(unbroken, every, by_sun),
        is_new_kind_of_day(every, by_clock[:-1], int(by_clock[-1])),
    )


def fingerprint_of(key: Key) -> str:
    """Return the fingerprint of findings about a series."""
    return f"{Metric.CUSTOM}:{metric_subject(*key).key()}"


def _with_incident(buckets: MetricBuckets, past: Sequence[PastIncident]) -> list[tuple[int, Key]]:
    mine = {name for one in past for name in one.fingerprints if name.startswith(f"{Metric.CUSTOM}:")}
    if not mine:
        return []
    return [(row, key) for key, row in buckets.numbers.items() if fingerprint_of(key) in mine]


def _expected(unbroken: Floats, every: Floats, hours: Integers) -> Floats:
    """Return what is expected in the last of the hours of the week, (series,); levels (series, n) of those before.

    An hour that was broken on every day, such as that of a batch at night, is usual.
    """
    usual = expected_levels(unbroken, hours[:-1], int(hours[-1]))
    return np.where(np.isnan(usual), expected_levels(every, hours[:-1], int(hours[-1])), usual)


def _hour_of(at: float) -> float:
    return at // COARSE_SECONDS * COARSE_SECONDS
