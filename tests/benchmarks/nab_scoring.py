"""The scoring of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015), written from the paper.

A window that is found earns more the earlier its first detection is; a missed window costs one; a detection outside
all windows costs more the farther it is behind the last window. The sum is scaled so that a detector without detections
has 0 and one that finds every window at its first point has 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PROBATION_SHARE = 0.15
PROBATION_OF_AT_MOST = 5000


@dataclass(frozen=True)
class Weights:
    """The weights of true positives, false negatives and false positives in an application profile."""

    true_positive: float
    false_negative: float
    false_positive: float


@dataclass(frozen=True)
class RawScore:
    """The points of one or more files, and the number of their windows."""

    points: float
    windows: int

    def __add__(self, other: RawScore) -> RawScore:
        return RawScore(self.points + other.points, self.windows + other.windows)

    def normalised(self, weights: Weights) -> float:
        """Scale the points: 0 for no detections, 100 for a perfect detector."""
        silence = -weights.false_negative * self.windows
        perfection = weights.true_positive * self.windows
        return 100.0 * (self.points - silence) / (perfection - silence)


def probation(length: int) -> int:
    """Return how many points at the beginning of a file are not scored."""
    return int(PROBATION_SHARE * min(length, PROBATION_OF_AT_MOST))


def raw_score(detected: NDArray[np.bool_], windows: Sequence[tuple[int, int]], weights: Weights) -> RawScore:
    """Score one file: detected (n,); windows as (first, last) indices, both inclusive, in order."""
    places = np.flatnonzero(detected)
    places = places[places >= probation(len(detected))]
    points, outside = 0.0, np.ones(len(places), dtype=bool)
    for first, last in windows:
        inside = (places >= first) & (places <= last)
        outside &= ~inside
        if inside.any():
            position = (places[inside][0] - last - 1) / (last - first + 1)
            points += weights.true_positive * _sigmoid(position) / _sigmoid(-1.0)
        else:
            points -= weights.false_negative
    for place in places[outside]:
        points += weights.false_positive * _false_alarm(int(place), windows)
    return RawScore(points, len(windows))


def _false_alarm(place: int, windows: Sequence[tuple[int, int]]) -> float:
    """Return the cost: nearly 0 just behind a window, -1 far behind it or before the first one."""
    before = [window for window in windows if window[1] < place]
    if not before:
        return -1.0
    first, last = before[-1]
    return _sigmoid((place - last) / max(last - first, 1))


def _sigmoid(position: float) -> float:
    """Scaled sigmoid: almost 1 at -1 (a window's first point), 0 at 0, almost -1 at 1 (one window length behind)."""
    return -1.0 if position > 3.0 else 2.0 / (1.0 + float(np.exp(5.0 * position))) - 1.0
