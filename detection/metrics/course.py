"""Whether a metric is on its usual course: one rule for the watch, the re-test of a fix and the backtest.

It is when its newest points are within their usual reach and their median is too. The median of several points has a
narrower reach than a single one: a small but lasting change shows in it alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.recovery import RecoveryState
from detection.types import Floats, Integers

NEW_NORMAL_AFTER_SECONDS = 2 * 86_400.0
"""A change that has lasted this long is the new normal: people have been told of it and had two days to act."""

MEAN_OF = 24
_NEWEST = 8


@dataclass(frozen=True, slots=True)
class Reach:
    """How far from its course a metric usually is: a single point, and the mean of MEAN_OF points; in its own unit.

    departure: how far it was when it left its course.
    """

    point: float
    mean: float
    departure: float

    def of_several(self, points: int) -> float:
        """Return the reach of the middle of this many points, at least a third of the way from the departure."""
        return float(min(self.point, max(self.mean * np.sqrt(MEAN_OF / max(points, 1)), self.departure / 3)))


def points_needed(step: Floats) -> Integers:
    """Return how many points in a row decide, (n,): fewer where each takes long. step: (n,) seconds between points."""
    return np.where(step >= 6 * 3600.0, 1, np.where(step >= 1800.0, 2, 3))


def course_state(residuals: Floats, reach: Reach, step: float) -> RecoveryState:
    """Return the state by the newest points. residuals: (n,) distances from the course, signed, the newest last."""
    needed, newest = int(points_needed(np.array([step]))[0]), residuals[-_NEWEST:]
    if len(newest) < needed:
        return RecoveryState.INSUFFICIENT_DATA
    beyond = np.abs(newest[-needed:]) > reach.point
    if beyond.all() or abs(float(np.median(newest))) > reach.of_several(len(newest)):
        return RecoveryState.STILL_BROKEN
    return RecoveryState.INSUFFICIENT_DATA if beyond.any() else RecoveryState.RECOVERED


def still_state(values: Floats) -> RecoveryState:
    """Return whether a metric that stood still moves again. values: (n,) the newest last."""
    newest = values[-_NEWEST:]
    if len(newest) < 2:
        return RecoveryState.INSUFFICIENT_DATA
    return RecoveryState.RECOVERED if np.ptp(newest) > 0 else RecoveryState.STILL_BROKEN
