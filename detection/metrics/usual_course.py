"""The usual course of a metric: what its past says about this hour of the day, and about this hour of the week.

The median of an hour over several days ignores a few broken ones. An hour of the week is trusted instead of an hour of
the day where it foretold the past better, as it does for a metric that rests at weekends.
"""

from __future__ import annotations

import numpy as np

from detection.statistics.baselines import HOUR_SECONDS, Mask, hours_of_week, medians
from detection.types import Floats, Integers

HOURS_A_DAY, HOURS_A_WEEK = 24, 168
MOST_DAYS = 21
"""How many past days are looked at."""

KNOWN_AFTER_HOURS = 36
"""A day's rhythm is known after a day and a half."""

_CLEARLY_BETTER = 0.8


def expected_levels(levels: Floats, hours: Integers, at: int) -> Floats:
    """Return the level expected of each series in the hour that follows the last, (series,); NaN where unknown.

    levels: (series, n) mean of each past hour, NaN where there was none, the newest last and the hours without gaps.
    hours: (n,) local hour of the week of each. at: the local hour of the week of the hour to come.
    """
    known = ~np.isnan(levels)
    by_day = _median_of(levels, known, hours % HOURS_A_DAY == at % HOURS_A_DAY)
    by_week = _median_of(levels, known, hours == at)
    weekly = ~np.isnan(by_week) & _week_foretells_better(levels, known, hours)
    first = np.where(known.any(axis=1), known.argmax(axis=1), levels.shape[1])
    long_enough = levels.shape[1] - first > KNOWN_AFTER_HOURS
    return np.where(long_enough, np.where(weekly, by_week, by_day), np.nan)


def is_new_kind_of_day(levels: Floats, hours: Integers, at: int) -> Mask:
    """Return where neither this weekday nor, for a Saturday or Sunday, any weekend has been seen yet, (series,).

    The first weekend of a metric that is known from weekdays alone tells nothing unless it is extreme.
    """
    weekend = hours // HOURS_A_DAY >= 5
    same_kind = weekend if at // HOURS_A_DAY >= 5 else ~weekend
    earlier = np.arange(levels.shape[1]) < levels.shape[1] - 2 * HOURS_A_DAY
    return np.asarray(~(~np.isnan(levels[:, same_kind & earlier])).any(axis=1))


def _median_of(levels: Floats, known: Mask, wanted: Mask) -> Floats:
    return np.where(known[:, wanted].any(axis=1), medians(levels[:, wanted], known[:, wanted]), np.nan)


def _week_foretells_better(levels: Floats, known: Mask, hours: Integers) -> Mask:
    """Whether the same hour of last week was nearer to the hours of the last week than the median of their days."""
    if levels.shape[1] < 2 * HOURS_A_WEEK:
        return np.zeros(len(levels), dtype=bool)
    last, before = levels[:, -HOURS_A_WEEK:], levels[:, -2 * HOURS_A_WEEK : -HOURS_A_WEEK]
    both = known[:, -HOURS_A_WEEK:] & known[:, -2 * HOURS_A_WEEK : -HOURS_A_WEEK]
    days = before.reshape(len(levels), 7, HOURS_A_DAY)
    seen = known[:, -2 * HOURS_A_WEEK : -HOURS_A_WEEK].reshape(days.shape)
    middle = medians(days.transpose(0, 2, 1).reshape(-1, 7), seen.transpose(0, 2, 1).reshape(-1, 7))
    by_day = np.tile(middle.reshape(len(levels), HOURS_A_DAY), 7)
    missed_by_week = np.where(both, np.abs(last - before), 0.0).sum(axis=1)
    missed_by_day = np.where(both, np.abs(last - by_day), 0.0).sum(axis=1)
    return np.asarray((both.sum(axis=1) >= HOURS_A_DAY) & (missed_by_week < _CLEARLY_BETTER * missed_by_day))


def courses_at(times: Floats, hours: Floats, means: Floats, timezone: str) -> Floats:
    """Return the value usual for a metric at each time, (n,); NaN where unknown.

    times: (n,) seconds. hours, means: (m,) the past hours that count as usual, oldest first, and the mean of each.
    """
    found = np.full(len(times), np.nan)
    places = np.round(hours / HOUR_SECONDS).astype(np.int64)
    for hour in np.unique(np.floor(times / HOUR_SECONDS).astype(np.int64)).tolist():
        first = hour - MOST_DAYS * HOURS_A_DAY
        held = (places >= first) & (places < hour)
        if not held.any():
            continue
        levels = np.full((1, hour - first), np.nan)
        levels[0, places[held] - first] = means[held]
        weekly = hours_of_week(np.arange(first, hour + 1) * HOUR_SECONDS, timezone)
        found[np.floor(times / HOUR_SECONDS) == hour] = expected_levels(levels, weekly[:-1], int(weekly[-1]))[0]
    return found
