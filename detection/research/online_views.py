"""Three views of one stream; each computes the distance of the newest point from the past.

PatternView compares the last 24 values, as one shape, with the nearest shapes of the past (conformal kNN anomaly
detection; Burnaev and Ishimtsev 2016). HourView compares the value with its hour of the day. LevelView compares the
mean of the last 30 points with the 300 before them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from detection.research.tail_surprise import SortedWindow
from detection.types import Floats

PATTERN = 24
HISTORY = 4000
"""How many past points are searched for similar patterns."""

_NEIGHBOURS = 5
_BLOCK = 64
"""Points per batch, so that their differences to the whole history fit in a processor's cache."""

_DAY = 86_400.0
_HOUR = 3600.0
_HOUR_MEMORY = 400
_HOURS_KNOWN_AFTER = 1.5 * _DAY
_RECENT_MEMORY = 300
_SHORT, _LONG = 30, 300
_LEVEL_WARM_UP = 50
_FURTHEST = 1e6
"""The largest distance: leaving a constant level would otherwise be infinitely far."""


class PatternView:
    """The distance of each point's last `PATTERN` values to the nearest patterns of the past."""

    def __init__(self) -> None:
        self._kept = np.full(HISTORY + PATTERN, np.nan)

    def distances(self, values: Floats) -> Floats:
        """Return the mean Euclidean distance to the five nearest non-overlapping past patterns, (n,).

        Infinite while there are fewer.
        """
        joined = np.concatenate([self._kept, values])
        self._kept = joined[-(HISTORY + PATTERN) :]
        first = HISTORY + PATTERN
        parts = [
            _nearest(joined, start, min(start + _BLOCK, len(joined))) for start in range(first, len(joined), _BLOCK)
        ]
        return np.concatenate(parts) if parts else np.empty(0)


def _nearest(values: Floats, start: int, stop: int) -> Floats:
    """Return the distances of values[start:stop], computing each squared difference once for all its patterns."""
    rows = np.arange(start - PATTERN + 1, stop)
    earlier = sliding_window_view(values, HISTORY - PATTERN + 1)[rows - HISTORY]
    differences = (values[rows, None] - earlier) ** 2
    squared = _sums_of_pattern(differences)
    squared[np.isnan(squared)] = np.inf
    nearest = np.partition(squared, _NEIGHBOURS - 1, axis=1)[:, :_NEIGHBOURS]
    return np.asarray(np.sqrt(nearest).mean(axis=1))


def _sums_of_pattern(rows: Floats) -> Floats:
    """Sum each 24 consecutive rows, from (n, m) to (n - 23, m).

    The sums are built by doubling: a running total would keep a rounding error after a spike.
    """
    pairs = rows[:-1] + rows[1:]
    fours = pairs[:-2] + pairs[2:]
    eights = fours[:-4] + fours[4:]
    return np.asarray(eights[:-16] + eights[8:-8] + eights[16:])


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected value of a point: the median and the 90 % range of comparable earlier points."""

    middle: float
    low: float
    high: float


class HourView:
    """The distribution of the stream's values at each hour of the day (UTC)."""

    def __init__(self) -> None:
        self._hours = [SortedWindow(_HOUR_MEMORY) for _ in range(24)]
        self._recent = SortedWindow(_RECENT_MEMORY)
        self._began: float | None = None

    def look(self, time: float, value: float) -> tuple[float, Expected]:
        """Add a value; return its distance from this hour's median and what was expected.

        The distance is NaN in the first day and a half.
        """
        began = time if self._began is None else self._began
        self._began = began
        hour = self._hours[int(time % _DAY // _HOUR)]
        known = time - began > _HOURS_KNOWN_AFTER and len(hour) > 0
        expected = _range(hour if known else self._recent)
        hour.add(value)
        self._recent.add(value)
        return (abs(value - expected.middle) if known else math.nan), expected


def _range(past: SortedWindow) -> Expected:
    if not len(past):
        return Expected(math.nan, math.nan, math.nan)
    return Expected(past.quantile(0.5), past.quantile(0.05), past.quantile(0.95))


class LevelView:
    """The distance of the mean of the last 30 points from that of the 300 before them, in standard deviations."""

    def __init__(self) -> None:
        self._kept = np.empty(0)
        self._count, self._mean, self._squares = 0, 0.0, 0.0

    def distances(self, values: Floats) -> Floats:
        """Return the distances, (n,); NaN for the first 50 points of the stream."""
        joined = np.concatenate([self._kept, values])
        found = np.full(len(values), np.nan)
        for place, value in enumerate(values):
            end = len(self._kept) + place + 1
            if self._count >= _LEVEL_WARM_UP:
                found[place] = self._distance(joined[max(end - _SHORT - _LONG, 0) : end])
            self._learn(float(value))
        self._kept = joined[-(_SHORT + _LONG) :]
        return found

    def _distance(self, window: Floats) -> float:
        before, recent = window[:-_SHORT], window[-_SHORT:]
        usual = float(before.mean())
        shift = abs(float(recent.mean()) - usual)
        deviation = float(before.std()) + 0.1 * math.sqrt(self._squares / self._count)
        finest = 1e-9 * abs(usual)
        if shift <= finest:
            return 0.0
        return min(shift / (deviation + finest), _FURTHEST) if deviation + finest > 0 else _FURTHEST

    def _learn(self, value: float) -> None:
        """Update the running variance (Welford's method)."""
        self._count += 1
        step = value - self._mean
        self._mean += step / self._count
        self._squares += step * (value - self._mean)
