"""How far the newest point of each metric is from its past, in four ways; and how long it has stood still."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.metrics.stream_memory import (
    LEVEL,
    MEAN,
    RECENT,
    SHORT,
    SPREAD,
    SUDDEN,
    VALUE,
    VIEWS,
    StreamMemory,
    pushed,
)
from detection.statistics.baselines import Mask
from detection.types import Floats, Integers

_LEVEL_AFTER = 50
_FURTHEST = 1e6
_ROUNDING = 1e-9

_UNKNOWN_ROOM, _DOUBTFUL_ROOM = 4.0, 0.5
"""How far outside the range of what is known an extreme value is, in such ranges."""

_STILL_POINTS, _STILL_FACTOR = 24, 4
_MOVED_AT_LEAST = 50


def push_distances(
    memory: StreamMemory, rows: Integers, values: Floats, residual: Floats, extreme: Floats, course: Floats
) -> Floats:
    """Remember the newest values, (n,), and return their distances from the past, (n, VIEWS); NaN where unknown.

    residual: of the values from their course. extreme: the farthest within the point. course: NaN where unknown.
    """
    memory.values[rows] = pushed(memory.values[rows], values)
    memory.residuals[rows] = pushed(memory.residuals[rows], residual)
    recent = memory.residuals[rows].astype(np.float64)
    full = ~np.isnan(recent).any(axis=1)
    found = np.full((len(rows), len(VIEWS)), np.nan)
    found[:, VALUE] = np.where(np.isnan(course), np.nan, extreme)
    found[full, SPREAD] = np.sqrt((recent[full] ** 2).mean(axis=1))
    found[full, MEAN] = np.abs(recent[full].mean(axis=1))
    found[:, LEVEL] = _level_distance(memory.values[rows])
    memory.seen[rows] += 1
    scaled, nothing = found[:, :LEVEL], _ROUNDING * np.abs(values)
    scaled[scaled <= nothing[:, None]] = 0.0
    return found


def newest_residual(memory: StreamMemory, rows: Integers) -> Floats:
    """Return how far the newest points of each series are from its course, (n,), signed."""
    return np.asarray(memory.residuals[rows][:, -SUDDEN:].astype(np.float64).mean(axis=1))


def is_sudden_extreme(memory: StreamMemory, rows: Integers, unknown: Mask) -> Mask:
    """Whether one of the newest values is far outside the range of the last few hundred, and came there suddenly.

    The climb of a first morning, or a first batch at night, is no departure. unknown: (n,) where there is no course.
    """
    kept = memory.values[rows].astype(np.float64)
    earlier, recent = kept[:, :-RECENT], kept[:, -RECENT - SUDDEN :]
    low, high = np.fmin.reduce(earlier, axis=1), np.fmax.reduce(earlier, axis=1)
    room, middle = np.where(unknown, _UNKNOWN_ROOM, _DOUBTFUL_ROOM) * (high - low), (high + low) / 2
    largest_jump = np.fmax.reduce(np.abs(recent[:, SUDDEN:] - recent[:, :-SUDDEN]), axis=1)
    farthest = np.fmax.reduce(np.abs(kept[:, -SUDDEN:] - middle[:, None]), axis=1)
    return np.asarray((farthest > (high - low) / 2 + room) & (largest_jump >= 0.5 * farthest))


def stands_still(memory: StreamMemory, rows: Integers, values: Floats, learning: Mask) -> Mask:
    """Note whether the newest value, already pushed, has changed; return where it stands still for unusually long."""
    before, lasted = memory.values[rows][:, -2], memory.same[rows]
    same = np.where(values.astype(np.float32) == before, lasted + 1, 0)
    memory.same[rows] = same
    memory.moved[rows] += same == 0
    ended = (same == 0) & learning
    longest = np.where(ended, np.maximum(memory.longest_same[rows], lasted), memory.longest_same[rows])
    memory.longest_same[rows] = longest
    lived = memory.moved[rows] >= _MOVED_AT_LEAST
    return np.asarray(lived & (same >= _STILL_POINTS) & (same >= _STILL_FACTOR * longest))


def _level_distance(values: NDArray[np.float32]) -> Floats:
    """Return the distance of the mean of the newest 30 from that of the 300 before, in standard deviations, (n,)."""
    known = ~np.isnan(values)
    before, every = known[:, :-SHORT].sum(axis=1), known.sum(axis=1)
    count, total = np.maximum(before, 1), np.maximum(every, 1)
    zeroed = np.where(known, values, np.float32(0.0))
    usual = zeroed[:, :-SHORT].sum(axis=1, dtype=np.float64) / count
    apart = np.where(known, values - usual[:, None].astype(np.float32), np.float32(0.0))
    squares = (apart * apart).astype(np.float32)
    squares_before = squares[:, :-SHORT].sum(axis=1, dtype=np.float64)
    recent = apart[:, -SHORT:].sum(axis=1, dtype=np.float64)
    spread = np.sqrt(squares_before / count)
    mean = (apart[:, :-SHORT].sum(axis=1, dtype=np.float64) + recent) / total
    wide = np.sqrt(np.maximum(squares.sum(axis=1, dtype=np.float64) / total - mean**2, 0.0))
    shift = np.abs(recent / np.maximum(every - before, 1))
    nothing = 1e-6 * np.abs(usual)
    distance = np.minimum(shift / np.maximum(spread + 0.1 * wide + nothing, 1e-300), _FURTHEST)
    return np.where(every > _LEVEL_AFTER, np.where(shift <= nothing, 0.0, distance), np.nan)
