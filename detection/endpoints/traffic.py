"""The expected request rate of endpoints, and tests for far fewer or far more requests.

An hourly mean does not show how traffic moves within the hour, and a single week does not show how quiet a Sunday can
be. So the expectation is a wide range: from the lowest to the highest of this hour and its two neighbours, each both a
week ago and as the median of the same hour of the day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.options import EndpointOptions
from detection.statistics.baselines import HOUR_SECONDS, Mask, hours_of_week, medians
from detection.types import Floats, Integers

WIDTHS = (1, 2, 4)
"""How many intervals may be merged where single ones are too quiet; the largest equals STRIKE_PATIENCE."""

_FEWEST_DAYS = 3
_WEEK_BUT_AN_HOUR = 167 * HOUR_SECONDS
"""A week ago by the wall clock may be an hour less, because of daylight saving."""


@dataclass(frozen=True, slots=True)
class TrafficRange:
    """The expected requests per second, (series,) each; NaN where there are too few data."""

    low: Floats
    usual: Floats
    high: Floats

    def row(self, index: int) -> TrafficRange:
        """Return the range of one series, still one-dimensional."""
        one = slice(index, index + 1)
        return TrafficRange(self.low[one], self.usual[one], self.high[one])


def traffic_range(
    requests: Floats, known: Mask, starts: Floats, *, at: float, options: EndpointOptions
) -> TrafficRange:
    """Return the expected range at time `at`, from requests (series, hours) in hours that begin at `starts`, (hours,).

    known: (series, hours), which hours may be used. Hours before the first request of a series are ignored; later
    hours without requests count as quiet. A series younger than a week has no range, because its first weekend would
    look like a failure. Neither has an hour of the day that is known on fewer than three days.
    """
    lived, is_old = _lived(requests, starts, at)
    usable = known & lived
    times = np.append(starts, at + np.array([-HOUR_SECONDS, 0.0, HOUR_SECONDS]))
    weekly = hours_of_week(times, options.timezone)
    around = [_of_an_hour(requests, usable, weekly[:-3], int(hour)) for hour in weekly[-3:]]
    low = np.minimum.reduce([hour.low for hour in around])
    high = np.maximum.reduce([hour.high for hour in around])
    return TrafficRange(
        np.where(is_old, low, np.nan) / HOUR_SECONDS,
        np.where(is_old, around[1].usual, np.nan) / HOUR_SECONDS,
        np.where(is_old, high, np.nan) / HOUR_SECONDS,
    )


def _lived(requests: Floats, starts: Floats, at: float) -> tuple[Mask, Mask]:
    """Return which hours lie after the first request, (series, hours), and whether that was a week ago, (series,)."""
    called = requests > 0
    lived = np.logical_or.accumulate(called, axis=1)
    this_hour = at // HOUR_SECONDS * HOUR_SECONDS
    return lived, np.asarray(lived[:, starts <= this_hour - _WEEK_BUT_AN_HOUR].any(axis=1))


def _of_an_hour(requests: Floats, usable: Mask, weekly: Integers, hour: int) -> TrafficRange:
    """Return the requests per hour at an hour of the week; without that hour, use the lowest and highest day."""
    of_day, of_week = weekly % 24 == hour % 24, weekly == hour
    days, weeks = requests[:, of_day], requests[:, of_week]
    days_known, weeks_known = usable[:, of_day], usable[:, of_week]
    is_known = days_known.sum(axis=1) >= _FEWEST_DAYS
    of_days = medians(days, days_known)
    of_weeks = np.where(weeks_known.any(axis=1), medians(weeks, weeks_known), of_days)
    has_week = weeks_known.any(axis=1)
    low = np.where(has_week, np.minimum(_lowest(weeks, weeks_known), of_days), _lowest(days, days_known))
    high = np.where(has_week, np.maximum(_highest(weeks, weeks_known), of_days), _highest(days, days_known))
    usual = np.sqrt(of_days * of_weeks)
    return TrafficRange(*(np.where(is_known, value, np.nan) for value in (low, usual, high)))


def _lowest(values: Floats, known: Mask) -> Floats:
    return np.asarray(np.where(known, values, np.inf).min(axis=1, initial=np.inf))


def _highest(values: Floats, known: Mask) -> Floats:
    return np.asarray(np.where(known, values, 0.0).max(axis=1, initial=0.0))


def widths(expected: Floats, options: EndpointOptions) -> Integers:
    """Return how many intervals must be merged to be judged, (series,), from requests per interval; 0 if too quiet."""
    enough = [expected * width >= options.minimum_expected_requests for width in WIDTHS]
    return np.select(enough, WIDTHS, default=0)


def merged_counts(counts: Floats, width: int) -> Floats:
    """Sum counts, (..., intervals), over `width` intervals each, (..., intervals // width); drop the oldest rest."""
    size = counts.shape[-1] // width
    kept = counts[..., counts.shape[-1] - size * width :]
    return np.asarray(kept.reshape(*counts.shape[:-1], size, width).sum(axis=-1))


def has_fallen(counts: Floats, expected: Floats, options: EndpointOptions) -> Mask:
    """Whether counts fell below `expected` by the minimum share and significantly; both broadcast together."""
    few = counts <= expected * (1 - options.minimum_traffic_drop)
    return np.asarray(few & (expected - counts >= options.anomaly_threshold * np.sqrt(expected)))


def has_surged(counts: Floats, expected: Floats, options: EndpointOptions) -> Mask:
    """Whether counts rose above `expected` by the minimum ratio and significantly; both broadcast together."""
    many = counts >= expected * options.minimum_surge_ratio
    return np.asarray(many & (counts - expected >= options.anomaly_threshold * np.sqrt(expected)))


def could_be_abnormal(counts: Floats, rates: TrafficRange, interval_seconds: float, options: EndpointOptions) -> Mask:
    """Return whether the last intervals are a run of too few, or of too many, requests, (series,).

    counts: (series, intervals), the last four times `consecutive_strikes` intervals.
    """
    abnormal = np.zeros(len(counts), dtype=bool)
    for rate, is_abnormal in ((rates.low, has_fallen), (rates.high, has_surged)):
        expected = np.nan_to_num(rate) * interval_seconds
        width_of = widths(expected, options)
        for width in WIDTHS:
            rows = np.flatnonzero(width_of == width)
            last = merged_counts(counts[rows], width)[:, -options.consecutive_strikes :]
            whole = last.shape[1] == options.consecutive_strikes
            abnormal[rows] |= whole & is_abnormal(last, expected[rows, None] * width, options).all(axis=1)
    return abnormal
