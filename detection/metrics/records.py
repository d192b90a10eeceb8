"""The largest distances of the last four weeks: noise sets records too, but small ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.metrics.stream_memory import LEVEL, RECENT, StreamMemory, pushed
from detection.types import Floats, Integers

RECORD = 1.38
"""A record is clear when it exceeds all of the last four weeks (at least 8,000 points) by this factor."""

_YOUNG_POINTS, _YOUNG_RECORD, _YOUNG_SECONDS = 400, 0.34, 4 * 86_400.0
"""In its first days a metric sets records easily: they must be clearer by so much, less and less as it grows older."""

_AS_LARGE = 0.95
"""A departure is noticed again when it reaches this share of the last one's mean distance; a smaller one is not."""

_LEAST_CHANGE = 0.05
"""A metric that never moved sets a record when it moves by at least this share of its value."""

_BLOCK_SECONDS, _BLOCK_POINTS = 86_400.0, 288


def note_records(memory: StreamMemory, rows: Integers, distances: Floats) -> None:
    """Note for each series how long ago one of its distances, (n, VIEWS), was a clear record."""
    largest = np.fmax.reduce(memory.records[rows], axis=2)
    least = np.full(distances.shape, np.inf)
    least[:, :LEVEL] = _LEAST_CHANGE * np.abs(memory.expected[rows])[:, None]
    with np.errstate(invalid="ignore"):
        is_larger = distances >= _factor(memory, rows)[:, None] * largest
        clear = np.where(largest > 0, is_larger, (distances > 0) & (distances >= least))
    clear &= ~np.isnan(largest)
    memory.since_record[rows] = np.where(clear.any(axis=1), 0, memory.since_record[rows] + 1)


def remember_distances(memory: StreamMemory, rows: Integers, times: Floats, distances: Floats) -> None:
    """Remember the newest distances, (n, VIEWS); those that are not recent any more are records from then on."""
    leaving = memory.distances[rows][:, :, 0]
    memory.distances[rows] = pushed(memory.distances[rows], distances)
    _rotate_blocks(memory, rows, times)
    _note_largest(memory, rows, leaving)


def begin_departures(memory: StreamMemory, rows: Integers) -> None:
    """Note that these series have left their course: from now on their distances set no records."""
    memory.away_total[rows], memory.away_points[rows] = 0.0, 0


def follow_departures(memory: StreamMemory, rows: Integers, distances: Floats) -> None:
    """Add the distances, (n, VIEWS), of series that are away."""
    memory.away_total[rows] += np.nan_to_num(distances)
    memory.away_points[rows] += 1


def end_departures(memory: StreamMemory, rows: Integers) -> None:
    """Note how large the departures were that are over now, such that an equal one is noticed again.

    A departure that lasted is as large as its mean, a short one as its first points were.
    """
    share = (_AS_LARGE / _factor(memory, rows)).astype(np.float32)
    points = memory.away_points[rows]
    size = (memory.away_total[rows] / np.maximum(points, 1)[:, None]).astype(np.float32)
    most = np.where((points >= RECENT)[:, None], size, np.float32(np.inf))
    memory.distances[rows] = share[:, None, None] * np.minimum(memory.distances[rows], most[:, :, None])
    _note_largest(memory, rows, share[:, None] * size)


def _factor(memory: StreamMemory, rows: Integers) -> Floats:
    """Return by how much a record of each series must exceed the earlier ones to be clear, (n,)."""
    age = np.where(memory.seen[rows] < _YOUNG_POINTS, 0.0, memory.last_at[rows] - memory.began[rows])
    return np.asarray(RECORD + _YOUNG_RECORD * np.exp(-age / _YOUNG_SECONDS))


def _note_largest(memory: StreamMemory, rows: Integers, distances: NDArray[np.float32]) -> None:
    memory.records[rows, :, 0] = np.fmax(memory.records[rows, :, 0], distances)


def _rotate_blocks(memory: StreamMemory, rows: Integers, times: Floats) -> None:
    memory.block_began[rows] = np.where(np.isnan(memory.block_began[rows]), times, memory.block_began[rows])
    memory.block_points[rows] += 1
    over = (times - memory.block_began[rows] >= _BLOCK_SECONDS) & (memory.block_points[rows] >= _BLOCK_POINTS)
    full = rows[over]
    if len(full):
        memory.records[full] = np.roll(memory.records[full], 1, axis=2)
        memory.records[full, :, 0] = np.nan
        memory.block_began[full], memory.block_points[full] = times[over], 0
