"""What the watch remembers of each metric: a few kilobytes, of a fixed size, that can be stored and restored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.metrics.surprise import Surprises
from detection.statistics.baselines import Mask
from detection.types import Floats, Integers

VALUE, SPREAD, MEAN, LEVEL = VIEWS = range(4)
"""The four distances from the past that are looked at."""

RECENT, SHORT, LONG = 24, 30, 300
"""How many points are recent; the level of how many is compared with that of how many before."""

SUDDEN = 3
"""A sudden change takes at most this many points."""

BLOCKS = 28
"""How many blocks of time the records are kept of."""


@dataclass(slots=True)
class StreamMemory:
    """What is remembered of each series, the series first. Every array is stored and restored as it is.

    values: the newest last. residuals: the newest distances from the usual course, with their sign. distances: those
    that are not old enough to set a record. records: the largest distance of each of the last blocks of time, this one
    first. surprises: of the newest points. began: the time of the first point. since_record: points since the last
    clear record. same, longest_same: how long the value has not changed, and the longest that it ever did not.
    normal_since: when the change happened that is its present normal; NaN if none is remembered. away_since: NaN while
    the metric is on its course; point_reach, mean_reach, departure: of its Reach; away_total, away_points: the sum and
    the number of the distances since; still, broken: as in Away.
    """

    values: NDArray[np.float32]
    residuals: NDArray[np.float32]
    distances: NDArray[np.float32]
    records: NDArray[np.float32]
    surprises: NDArray[np.float32]
    began: Floats
    seen: Integers
    block_began: Floats
    block_points: Integers
    since_record: Integers
    same: Integers
    longest_same: Integers
    moved: Integers
    last_at: Floats
    step: Floats
    expected: Floats
    normal_since: Floats
    away_since: Floats
    point_reach: Floats
    mean_reach: Floats
    departure: Floats
    away_total: Floats
    away_points: Integers
    still: Mask
    broken: Mask

    @classmethod
    def of(cls, series: int) -> StreamMemory:
        """Return the memory of series of which nothing is known."""

        def unknown(*shape: int) -> NDArray[np.float32]:
            return np.full((series, *shape), np.nan, dtype=np.float32)

        def nowhere() -> Floats:
            return np.full(series, np.nan)

        def zero() -> Integers:
            return np.zeros(series, dtype=np.int64)

        return cls(
            values=unknown(SHORT + LONG),
            residuals=unknown(RECENT),
            distances=unknown(len(VIEWS), RECENT),
            records=unknown(len(VIEWS), BLOCKS),
            surprises=unknown(3),
            began=nowhere(),
            seen=zero(),
            block_began=nowhere(),
            block_points=zero(),
            since_record=zero() + RECENT,
            same=zero(),
            longest_same=zero(),
            moved=zero(),
            last_at=nowhere(),
            step=nowhere(),
            expected=nowhere(),
            normal_since=nowhere(),
            away_since=nowhere(),
            point_reach=nowhere(),
            mean_reach=nowhere(),
            departure=nowhere(),
            away_total=np.zeros((series, len(VIEWS))),
            away_points=zero(),
            still=np.zeros(series, dtype=bool),
            broken=np.zeros(series, dtype=bool),
        )

    def grow(self, more: int) -> None:
        """Make room for this many more series."""
        fresh = StreamMemory.of(more)
        for name in _NAMES:
            setattr(self, name, np.concatenate([getattr(self, name), getattr(fresh, name)]))

    def keep_only(self, rows: Integers) -> None:
        """Forget all series but these, which are numbered anew in this order."""
        for name in _NAMES:
            setattr(self, name, getattr(self, name)[rows])

    def restart(self, rows: Integers) -> None:
        """Forget all of these series but their newest values, when these came, and since when they are normal."""
        fresh = StreamMemory.of(len(rows))
        for name in _NAMES:
            if name not in {"values", "last_at", "step", "normal_since"}:
                getattr(self, name)[rows] = getattr(fresh, name)


_NAMES = tuple(field.name for field in fields(StreamMemory))


def pack(memory: StreamMemory, surprises: Surprises, row: int) -> bytes:
    """Return all that is remembered of a series, for `unpack`."""
    return b"".join(np.ascontiguousarray(held[row]).tobytes() for held in _held(memory, surprises))


def unpack(memory: StreamMemory, surprises: Surprises, row: int, packed: bytes) -> bool:
    """Restore what `pack` returned. Return False, and change nothing, if it is of another version."""
    held = list(_held(memory, surprises))
    if len(packed) != sum(array[row].nbytes for array in held):
        return False
    place = 0
    for array in held:
        size = array[row].nbytes
        array[row] = np.frombuffer(packed[place : place + size], dtype=array.dtype).reshape(array[row].shape)
        place += size
    return True


def _held(memory: StreamMemory, surprises: Surprises) -> Iterator[NDArray[Any]]:
    for name in _NAMES:
        yield getattr(memory, name)
    yield surprises.counts
    yield surprises.floor


def pushed(kept: NDArray[np.float32], newest: Floats) -> NDArray[np.float32]:
    """Return the kept values, (n, …, m), without the oldest and with the newest, (n, …), at the end."""
    return np.concatenate([kept[..., 1:], newest.astype(np.float32)[..., None]], axis=-1)
