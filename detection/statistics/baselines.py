"""Baselines: the normal value at an hour of the week, fitted to a few weeks of hourly data that may hold incidents.

Shares are fitted by `weekly_rates`. Hours further than 3.5 robust standard deviations from their fit are left out
first (Iglewicz and Hoaglin 1993). A level, such as log p95, is the mean of its hour of the week, shrunk toward the
mean of its hour of the day over all days, which is shrunk toward the overall mean. The less the data can tell two of
these apart, the stronger the shrinkage (empirical Bayes; Efron and Morris 1975).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from detection.statistics.weekly_rates import WeeklyRates, sums_by_group, weekly_rates
from detection.types import Floats, Integers

HOUR_SECONDS = 3600.0
_QUARTER_SECONDS = 900.0
_OUTLYING = 3.5
_PASSES = 3
_MINIMUM_DEVIATION = 0.02
"""The smallest deviation assumed for a level, so that a flat series still has a tolerance above zero."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RateBaseline:
    """The expected share of each series; all arrays are (series,).

    strength is the effective sample size of the baseline for judging one new window. It includes the error of the
    estimate and the overdispersion of hours and days. low and high are bounds on the true rate of 95 % of hours.
    certainty is the effective sample size from the error of the estimate alone, which all new windows share.
    """

    rate: Floats
    strength: Floats
    low: Floats
    high: Floats
    successes: Floats
    trials: Floats
    hours: Integers
    certainty: Floats


@dataclass(frozen=True, slots=True)
class LevelBaseline:
    """The expected level of each series and the standard deviation of an hour around it, both (series,)."""

    level: Floats
    spread: Floats
    hours: Integers


def hours_of_week(times: Floats, timezone: str) -> Integers:
    """Return the local hour of the week of each time: 0 is Monday 00:00 to 01:00, 167 is the last hour of Sunday.

    times: (n,) seconds UTC. The wall clock decides across a daylight saving change, because people live by it.
    """
    quarters = np.floor(times / _QUARTER_SECONDS).astype(np.int64)
    return np.array([_hour_of_week(quarter, timezone) for quarter in quarters.tolist()], dtype=np.int64)


@lru_cache(maxsize=8192)
def _hour_of_week(quarter: int, timezone: str) -> int:
    """Return the local hour of the week of a quarter of an hour; zones are off UTC by whole quarters."""
    local = datetime.fromtimestamp(quarter * _QUARTER_SECONDS, UTC).astimezone(ZoneInfo(timezone))
    return local.weekday() * 24 + local.hour


def rate_baseline(successes: Floats, trials: Floats, hours: Integers, at: int) -> RateBaseline:
    """Fit the share at hour of the week `at`.

    successes, trials: (series, n) of past hours; trials is 0 where nothing happened. hours: (n,) hours of the week.
    """
    return rate_baselines(successes, trials, hours, [at])[0]


def rate_baselines(successes: Floats, trials: Floats, hours: Integers, at: Sequence[int]) -> list[RateBaseline]:
    """Fit `rate_baseline` at several hours of the week at little more than the cost of one."""
    kept, overdispersion = trials > 0, np.zeros(len(trials))
    for _ in range(_PASSES):
        k, n = np.where(kept, successes, 0.0), np.where(kept, trials, 0.0)
        week = weekly_rates(k, n, hours, overdispersion)
        kept, overdispersion = _are_inliers(successes, trials, week.usual[:, hours]), week.hour_overdispersion
    return [_rate_at(week, hour, k, n) for hour in at]


def _rate_at(week: WeeklyRates, hour: int, successes: Floats, trials: Floats) -> RateBaseline:
    rate = week.rate[:, hour]
    variance = week.hour_overdispersion + week.day_overdispersion + week.error[:, hour]
    strength = np.maximum(1.0 / variance - 1.0, 1.0)
    return RateBaseline(
        rate=rate,
        strength=strength,
        low=np.asarray(betaincinv(strength * rate, strength * (1 - rate), 0.025), dtype=np.float64),
        high=np.asarray(betaincinv(strength * rate, strength * (1 - rate), 0.975), dtype=np.float64),
        successes=successes.sum(axis=1),
        trials=trials.sum(axis=1),
        hours=(trials > 0).sum(axis=1),
        certainty=1.0 / week.error[:, hour],
    )


def _are_inliers(successes: Floats, trials: Floats, fitted: Floats) -> Mask:
    deviation = np.sqrt(np.maximum(trials * fitted * (1 - fitted), 1e-9))
    score = np.abs(successes - trials * fitted) / deviation
    usual = np.maximum(1.0, 1.4826 * medians(score, trials > 0))[:, None]
    return np.asarray((trials > 0) & (score <= _OUTLYING * usual))


def level_baseline(levels: Floats, known: Mask, hours: Integers, at: int) -> LevelBaseline:
    """Fit a level, such as log p95, at hour of the week `at`.

    levels: (series, n) of past hours, read only where `known`. hours: (n,) hours of the week. Levels further than
    3.5 robust standard deviations from the median of their hour of the day are clipped to that distance (winsorised;
    Tukey 1962). With less than two days of data all hours of the day are treated alike.
    """
    day_of, this_week = hours % 24, hours == at
    day_counts, count = sums_by_group(known.astype(np.float64), day_of, 24), known.sum(axis=1)
    seen = (day_counts > 0).sum(axis=1)
    repeated = count >= 2 * seen
    middle = np.where(repeated[:, None], _day_medians(levels, known, hours), medians(levels, known)[:, None])
    x = _winsorised(levels, middle, known)
    overall = x.sum(axis=1) / np.maximum(count, 1)
    day_means = sums_by_group(x, day_of, 24) / np.maximum(day_counts, 1)
    residual = np.where(known, x - np.where(repeated[:, None], day_means[:, day_of], overall[:, None]), 0.0)
    within = (residual**2).sum(axis=1) / np.maximum(count - np.where(repeated, seen, 1), 1)
    scatter = (day_means - overall[:, None]) ** 2 - within[:, None] / np.maximum(day_counts, 1)
    between = np.maximum((scatter * (day_counts > 0)).sum(axis=1) / np.maximum(seen, 1), 0.0)
    by_day = _shrunk(day_means[:, at % 24], day_counts[:, at % 24], overall, within, between)
    week_count = known[:, this_week].sum(axis=1)
    week_mean = x[:, this_week].sum(axis=1) / np.maximum(week_count, 1)
    by_week = _shrunk(week_mean, week_count, by_day, within, within / 2)
    return LevelBaseline(by_week, np.sqrt(within), count)


def _day_medians(levels: Floats, known: Mask, hours: Integers) -> Floats:
    """Return for each past hour the median of its hour of the day, (series, n)."""
    days = hours % 24
    counts = np.bincount(days, minlength=24)
    order = np.argsort(days, kind="stable")
    place = np.empty_like(days)
    place[order] = np.arange(len(days)) - (np.cumsum(counts) - counts)[days[order]]
    series, width = len(levels), int(counts.max())
    by_hour, is_known = np.zeros((series, 24, width)), np.zeros((series, 24, width), dtype=bool)
    by_hour[:, days, place], is_known[:, days, place] = levels, known
    fitted = medians(by_hour.reshape(series * 24, width), is_known.reshape(series * 24, width))
    return fitted.reshape(series, 24)[:, days]


def _winsorised(levels: Floats, fitted: Floats, known: Mask) -> Floats:
    """Winsorise around the fit; 0 where not known."""
    distance = np.where(known, np.abs(levels - fitted), 0.0)
    reach = _OUTLYING * np.maximum(1.4826 * medians(distance, known), _MINIMUM_DEVIATION)[:, None]
    return np.where(known, np.clip(levels, fitted - reach, fitted + reach), 0.0)


def _shrunk(means: Floats, counts: Floats, toward: Floats, within: Floats, between: Floats) -> Floats:
    weight = counts * between / np.maximum(counts * between + within, 1e-12)
    return np.asarray(weight * means + (1 - weight) * toward)


def medians(values: Floats, known: Mask) -> Floats:
    """Return the median of the known values of each row, (series,); 0 where none is known.

    values, known: (series, n). Sorting is 20 times quicker than nanmedian.
    """
    ordered = np.sort(np.where(known, values, np.inf), axis=1)
    count = known.sum(axis=1)
    rows = np.arange(len(values))
    if values.shape[1] == 0:
        return np.zeros(len(values))
    lower, upper = (
        ordered[rows, np.maximum(count - 1, 0) // 2],
        ordered[rows, np.minimum(count // 2, values.shape[1] - 1)],
    )
    return np.where(count > 0, (lower + upper) / 2, 0.0)
