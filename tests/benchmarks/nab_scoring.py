"""The scoring of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015), written from the paper.

A window found earns by how early in it the first detection lies, a window missed costs one, and every detection
outside costs by how far behind the last window it is. The sum is put on a scale on which a detector that never
speaks has 0 and one that finds every window at its first point has 100.
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
    """What an application profile makes of finds, misses and false alarms."""

    true_positive: float
    false_negative: float
    false_positive: float


@dataclass(frozen=True)
class RawScore:
    """The points of one or more files, and of how many windows."""

    points: float
    windows: int

    def __add__(self, other: RawScore) -> RawScore:
        return RawScore(self.points + other.points, self.windows + other.windows)

    def normalised(self, weights: Weights) -> float:
        """0 for silence, 100 for perfection."""
        silence = -weights.false_negative * self.windows
        perfection = weights.true_positive * self.windows
        return 100.0 * (self.points - silence) / (perfection - silence)


def probation(length: int) -> int:
    """How many points at a file's beginning are not scored."""
    return int(PROBATION_SHARE * min(length, PROBATION_OF_AT_MOST))


def raw_score(detected: NDArray[np.bool_], windows: Sequence[tuple[int, int]], weights: Weights) -> RawScore:
    """Score one file: detected (n,), windows as (first, last) indices, both inside, in order."""
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
    """From nearly 0 just behind a window to -1 far from any."""
    before = [window for window in windows if window[1] < place]
    if not before:
        return -1.0
    first, last = before[-1]
    return _sigmoid((place - last) / max(last - first, 1))


def _sigmoid(position: float) -> float:
    """1 to -1 over the positions -1 (a window's first point) to 1 (a window's length behind it)."""
    return -1.0 if position > 3.0 else 2.0 / (1.0 + float(np.exp(5.0 * position))) - 1.0
