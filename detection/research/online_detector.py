"""An online anomaly detector for any single metric, with one fixed configuration; it uses only past values.

Three views of the stream (`online_views`) each compute a distance. Each distance gets a p-value against the earlier
distances of its view (`tail_surprise`), on a log scale, and the mean over the views combines them, as in Fisher's
method (1932). A point is anomalous when the combined p-value is below 1 / sqrt(points seen). This level falls as the
stream goes on, as in alpha-spending (Foster and Stine 2008), so that a long stream does not raise false alarms at a
constant rate. After an alarm the detector stays quiet for a while, so that an anomaly is reported once. Pure noise
gives about one alarm in 600 points over the first 3,000.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from detection.research.online_views import Expected, HourView, LevelView, PatternView
from detection.research.tail_surprise import Surprise
from detection.statistics.baselines import Mask
from detection.types import Floats

THRESHOLD = 0.5
"""The lowest score of an anomaly: there the combined p-value equals 1 / sqrt(points seen).

The square root and the quiet share below were chosen once, on half of the files of the Numenta benchmark at four
sampling rates (original, and thinned to a third, a sixth and a twelfth); the benchmark scores lie on a plateau there.
"""

_SEEN_LEAST, _SEEN_MOST = 100, 10_000
"""The number of points seen is clipped to this range for the level; an endless stream keeps the last level."""

_QUIET_SHARE = 0.03
_QUIET_LEAST = 40
_CALIBRATION = 4000


@dataclass(frozen=True, slots=True)
class StreamScores:
    """The detector's result for each point; all arrays are (n,).

    score is in [0, 1]. expected, expected_low and expected_high: the median and the 90 % range of comparable earlier
    points, NaN for the very first.
    """

    times: Floats
    values: Floats
    score: Floats
    expected: Floats
    expected_low: Floats
    expected_high: Floats

    @property
    def anomalous(self) -> Mask:
        """Whether the detector raises an alarm, (n,)."""
        return np.asarray(self.score >= THRESHOLD)


class StreamDetector:
    """Score a stream as it arrives; one point at a time or many at once give the same scores.

    Its memory is bounded: about 14,000 values and 12,000 distances.
    """

    def __init__(self) -> None:
        self._pattern, self._hour, self._level = PatternView(), HourView(), LevelView()
        self._surprises = [Surprise(_CALIBRATION) for _ in range(3)]
        self._seen = 0
        self._quiet_until = 0

    def update(self, times: Floats, values: Floats) -> StreamScores:
        """Score the next points: times (n,) in seconds, values (n,).

        Raises ValueError when a number is not finite or the shapes differ.
        """
        times, values = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
        _check(times, values)
        patterns, levels = self._pattern.distances(values), self._level.distances(values)
        scores, expectations = [], []
        for place, (time, value) in enumerate(zip(times.tolist(), values.tolist(), strict=True)):
            from_hour, expected = self._hour.look(time, value)
            scores.append(self._score((float(patterns[place]), from_hour, float(levels[place]))))
            expectations.append(expected)
        return _scored(times, values, scores, expectations)

    def _score(self, distances: tuple[float, float, float]) -> float:
        decades = [
            surprise.of(distance)
            for surprise, distance in zip(self._surprises, distances, strict=True)
            if math.isfinite(distance)
        ]
        known = [value for value in decades if value is not None]
        index, self._seen = self._seen, self._seen + 1
        if not known:
            return 0.0
        seen = min(max(index, _SEEN_LEAST), _SEEN_MOST)
        excess = sum(known) / len(known) - 0.5 * math.log10(seen)
        score = 1.0 / (1.0 + math.pow(10.0, min(max(-excess, -15.0), 15.0)))
        if index < self._quiet_until:
            return score * THRESHOLD * 0.99
        if score >= THRESHOLD:
            self._quiet_until = index + math.ceil(max(_QUIET_LEAST, _QUIET_SHARE * seen))
        return score


def score_stream(times: Floats, values: Floats) -> StreamScores:
    """Score a whole history as if its points had arrived one by one. times, values: (n,), oldest first."""
    return StreamDetector().update(times, values)


def _check(times: Floats, values: Floats) -> None:
    if times.ndim != 1 or times.shape != values.shape:
        raise ValueError(f"times and values must be of one length, not {times.shape} and {values.shape}")
    wrong = np.flatnonzero(~(np.isfinite(times) & np.isfinite(values)))
    if len(wrong):
        raise ValueError(f"point {wrong[0]} is not a finite number")


def _scored(times: Floats, values: Floats, scores: list[float], expectations: list[Expected]) -> StreamScores:
    ranges = np.array([(one.middle, one.low, one.high) for one in expectations], dtype=np.float64).reshape(-1, 3)
    return StreamScores(times, values, np.array(scores), ranges[:, 0], ranges[:, 1], ranges[:, 2])
