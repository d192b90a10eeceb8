"""The watch of many metrics at once, point by point, each in its own grain; what it remembers is small and bounded.

Four distances of each point from the past are looked at: of the value from its usual course, of the last two dozen
values from it (root mean square, and mean), and of the level of the last 30 values from that of the 300 before. Their
surprises (`surprise`) are averaged, as in Fisher's method (1932). A metric has left its usual course when

- the average is high for as long as a person would call it more than a blip, and
- a distance is clearly a record: noise sets records too, but small ones; or
- it stands still for far longer than ever before.

While a metric is away, nothing is learnt from it: a lasting change is reported once and does not become usual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.metrics.course import NEW_NORMAL_AFTER_SECONDS, Reach, course_state, points_needed, still_state
from detection.metrics.surprise import WARM_UP, Surprises
from detection.recovery import RecoveryState
from detection.statistics.baselines import Mask, medians
from detection.types import Floats, Integers

VALUE, SPREAD, MEAN, LEVEL = range(4)
"""The four distances."""

_VIEWS = 4
_SHORT, _LONG, _RECENT = 30, 300, 24
_LEVEL_AFTER = 50
_BLOCKS, _BLOCK_SECONDS, _BLOCK_POINTS = 14, 86_400.0, 288
_FURTHEST = 1e6
_ROUNDING = 1e-9

LEAST_SURPRISE = 1.75
"""The least average surprise of a metric that is away, at each of its newest points."""

RECORD = 1.36
"""A record is clear when it exceeds all of the last two weeks (at least 4,000 points) by this factor."""

_REMEMBERED = 0.7
"""The share of a departure that counts as a record later: one about as large is noticed again, a smaller one is not."""

_NOTICED_AFTER = 6
"""A metric leaves its course at most about so many points before that is noticed."""

_SUDDEN = 3
"""A sudden change takes at most this many points."""

_QUICK_SECONDS = 120.0
"""Before its daily rhythm is known, a metric is judged only if its points come at least as often as this."""

LEAST_POINTS = WARM_UP + _RECENT
"""How many points of a series must be known before it is judged."""

_YOUNG_POINTS, _YOUNG_RECORD, _YOUNG_SECONDS = 400, 0.34, 4 * 86_400.0
"""In its first days a metric sets records easily: they must be clearer by so much, less and less as it grows older."""

_FORGOTTEN_SECONDS = 3 * 86_400.0
"""A metric that was not heard for this long begins anew, unless its own points are that far apart."""

_LEAST_CHANGE = 0.05
"""A metric that never moved sets a record when it moves by at least this share of its value."""

_STILL_POINTS, _STILL_FACTOR = 24, 4
_MOVED_AT_LEAST = 50


@dataclass(frozen=True, slots=True)
class Away:
    """A series that is away from its usual course. reach: how far from it is usual.

    expected: the usual value now. surprise: at its newest point. stands_still: whether it is away because it no longer
    moves. since: when it left. is_broken: whether its newest points are away still.
    """

    since: float
    expected: float
    reach: Reach
    surprise: float
    stands_still: bool
    is_broken: bool


@dataclass(slots=True)
class _Memory:
    """What is remembered of each series, the series first. Every array is stored and restored as it is.

    values: the newest last. residuals: the newest distances from the usual course, with their sign. distances: those
    that are not old enough to set a record. records: the largest distance of each of the last blocks of time, this one
    first. surprises: of the newest points. began: the time of the first point. since_record: points since the last
    clear record. same, longest_same: how long the value has not changed, and the longest that it ever did not.
    away_since: NaN while the metric is on its course; point_reach, mean_reach, departure: of its Reach; still, broken:
    as in Away. normal_since: when the change happened that is its present normal; NaN if none is remembered.
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
    normal_since: Floats
    step: Floats
    expected: Floats
    away_since: Floats
    point_reach: Floats
    mean_reach: Floats
    departure: Floats
    still: Mask
    broken: Mask

    @classmethod
    def of(cls, series: int) -> _Memory:
        def empty(*shape: int) -> NDArray[np.float32]:
            return np.full((series, *shape), np.nan, dtype=np.float32)

        def zero() -> Integers:
            return np.zeros(series, dtype=np.int64)

        return cls(
            values=empty(_SHORT + _LONG),
            residuals=empty(_RECENT),
            distances=empty(_VIEWS, _RECENT),
            records=empty(_VIEWS, _BLOCKS),
            surprises=empty(3),
            began=np.full(series, np.nan),
            seen=zero(),
            block_began=np.full(series, np.nan),
            block_points=zero(),
            since_record=zero() + _RECENT,
            same=zero(),
            longest_same=zero(),
            moved=zero(),
            last_at=np.full(series, np.nan),
            normal_since=np.full(series, np.nan),
            step=np.full(series, np.nan),
            expected=np.full(series, np.nan),
            away_since=np.full(series, np.nan),
            point_reach=np.full(series, np.nan),
            mean_reach=np.full(series, np.nan),
            departure=np.full(series, np.nan),
            still=np.zeros(series, dtype=bool),
            broken=np.zeros(series, dtype=bool),
        )


class MetricStreams:
    """The memory of many series. Rows number the series from 0; `grow` makes room for more."""

    def __init__(self, series: int = 0) -> None:
        self._memory = _Memory.of(series)
        self._surprises = Surprises(series, _VIEWS)

    def __len__(self) -> int:
        return len(self._memory.seen)

    def grow(self, series: int) -> None:
        """Make room for this many series in all."""
        more = series - len(self)
        if more <= 0:
            return
        fresh = _Memory.of(more)
        for field in fields(_Memory):
            joined = np.concatenate([getattr(self._memory, field.name), getattr(fresh, field.name)])
            setattr(self._memory, field.name, joined)
        self._surprises.grow(series)

    def keep_only(self, rows: Integers) -> None:
        """Forget all series but these, which are numbered anew in this order."""
        for field in fields(_Memory):
            setattr(self._memory, field.name, getattr(self._memory, field.name)[rows])
        self._surprises.keep_only(rows)

    @property
    def last_at(self) -> Floats:
        """The time of each series' newest point, (series,); NaN where there was none."""
        return self._memory.last_at

    @property
    def step(self) -> Floats:
        """The usual seconds between two points of each series, (series,); NaN where unknown."""
        return self._memory.step

    @property
    def seen(self) -> Integers:
        """How many points of each series were seen, (series,)."""
        return self._memory.seen

    @property
    def normal_since(self) -> Floats:
        """When the change happened that is each series' present normal, (series,); NaN if none is remembered."""
        return self._memory.normal_since

    @property
    def expected(self) -> Floats:
        """The value that was usual at each series' newest point, (series,); NaN where unknown."""
        return self._memory.expected

    def away(self) -> Integers:
        """Return the rows of the series that are away from their usual course."""
        return np.flatnonzero(~np.isnan(self._memory.away_since))

    def describe(self, row: int) -> Away:
        """Describe how a series that is away stands."""
        memory = self._memory
        return Away(
            since=float(memory.away_since[row]),
            expected=float(memory.expected[row]),
            reach=self._reach(row),
            surprise=float(np.nan_to_num(memory.surprises[row, -1])),
            stands_still=bool(memory.still[row]),
            is_broken=bool(memory.broken[row]),
        )

    def usual_reach(self, rows: Integers) -> tuple[Floats, Floats]:
        """Return how far from its course 99 % of each series' points, and of their means, are; (n,), NaN if unknown."""
        point, mean = (self._surprises.largest(rows, view, 0.01) for view in (VALUE, MEAN))
        spread = 2 * self._surprises.largest(rows, SPREAD, 0.01)
        return np.where(np.isnan(point), spread, point), mean

    def pack(self, row: int) -> bytes:
        """Return all that is remembered of a series, for `unpack`."""
        arrays = [np.ascontiguousarray(held[row]).tobytes() for held in self._held()]
        return b"".join(arrays)

    def unpack(self, row: int, packed: bytes) -> bool:
        """Restore what `pack` returned. Return False, and change nothing, if it is of another version."""
        held = list(self._held())
        if len(packed) != sum(array[row].nbytes for array in held):
            return False
        place = 0
        for array in held:
            size = array[row].nbytes
            array[row] = np.frombuffer(packed[place : place + size], dtype=array.dtype).reshape(array[row].shape)
            place += size
        return True

    def _held(self) -> Iterator[NDArray[Any]]:
        for field in fields(_Memory):
            yield getattr(self._memory, field.name)
        yield self._surprises.counts
        yield self._surprises.floor

    def resume(self, rows: Integers) -> None:
        """Note that these series are back on their course. What they were meanwhile is not learnt from."""
        memory = self._memory
        rows = rows[~np.isnan(memory.away_since[rows])]
        for row in rows.tolist():
            step = max(float(memory.step[row]), 1.0)
            points = int((memory.last_at[row] - memory.away_since[row]) / step) + 1 + _NOTICED_AFTER
            memory.values[row, -min(points, _SHORT + _LONG) :] = np.nan
        memory.residuals[rows], memory.surprises[rows], memory.since_record[rows] = np.nan, np.nan, _RECENT
        memory.away_since[rows], memory.broken[rows], memory.still[rows] = np.nan, False, False

    def restart(self, rows: Integers) -> None:
        """Learn these series anew: what they are now is their new normal."""
        fresh, memory = _Memory.of(len(rows)), self._memory
        for field in fields(_Memory):
            if field.name not in {"values", "last_at", "step", "normal_since"}:
                getattr(memory, field.name)[rows] = getattr(fresh, field.name)
        self._surprises.forget(rows)

    def observe(
        self,
        rows: Integers,
        times: Floats,
        values: Floats,
        *,
        course: Floats,
        doubtful: Mask,
        farthest: Floats,
    ) -> Integers:
        """Judge the next point of each of these series, and remember it; return the rows that have a new normal.

        rows: (n,), no series twice. times: (n,) seconds, later than the series' last point. values: (n,). course: (n,)
        the usual value now, NaN where unknown. doubtful: (n,) True where the usual course says little, so that only
        extreme values count. farthest: (n,) the extreme within a point that is itself a summary of several.
        """
        memory = self._memory
        self._clear_after_gap(rows, times)
        expected, unknown = course.copy(), np.isnan(course)
        expected[unknown] = _middle(memory.values[rows[unknown]][:, -_LONG:])
        memory.expected[rows] = expected
        residual = np.where(np.isnan(expected), 0.0, values - expected)
        extreme = np.where(np.isnan(expected), 0.0, farthest - expected)
        distances = self._distances(rows, values, residual, np.abs(extreme), course)
        surprise = _mean_of_known(self._surprises.of(rows, distances))
        learning = np.isnan(memory.away_since[rows])
        still = self._stands_still(rows, values, learning)
        self._note_records(rows, distances)
        away = self._is_surprising(rows, surprise) & ~(unknown & (memory.step[rows] > _QUICK_SECONDS))
        doubtful = doubtful | unknown
        away[doubtful] &= self._is_sudden_extreme(rows[doubtful], values[doubtful], unknown[doubtful])
        self._step_on(rows, times)
        self._remember(rows[learning], times[learning], distances[learning])
        away_rows = rows[~learning]
        farthest_away = np.float32(_REMEMBERED) * distances[~learning].astype(np.float32)
        memory.records[away_rows, :, 0] = np.fmax(memory.records[away_rows, :, 0], farthest_away)
        self._note_departures(rows[learning & (away | still)], still=rows[learning & still & ~away])
        return self._follow(rows[~np.isnan(memory.away_since[rows])])

    def _note_departures(self, rows: Integers, *, still: Integers) -> None:
        if not len(rows):
            return
        memory = self._memory
        memory.away_since[rows] = memory.last_at[rows]
        memory.point_reach[rows], memory.mean_reach[rows] = self.usual_reach(rows)
        memory.departure[rows] = np.abs(memory.residuals[rows][:, -_SUDDEN:].astype(np.float64).mean(axis=1))
        # One as large must be noticed next time as well: its first points set no full record.
        memory.distances[rows] *= np.float32(_REMEMBERED)
        memory.still[still] = True

    def _follow(self, rows: Integers) -> Integers:
        """Note which of the series that are away are broken still; return those that were away for long enough."""
        if not len(rows):
            return rows
        memory = self._memory
        for row in rows.tolist():
            recent = memory.residuals[row].astype(np.float64)
            if memory.still[row]:
                state = still_state(memory.values[row].astype(np.float64))
            else:
                state = course_state(recent[~np.isnan(recent)], self._reach(row), float(memory.step[row]))
            if state is not RecoveryState.INSUFFICIENT_DATA:
                memory.broken[row] = state is RecoveryState.STILL_BROKEN
        memory.broken[rows[memory.last_at[rows] == memory.away_since[rows]]] = True
        lasting = memory.last_at[rows] - memory.away_since[rows] >= NEW_NORMAL_AFTER_SECONDS
        if lasting.any():
            memory.normal_since[rows[lasting]] = memory.away_since[rows[lasting]]
            self.restart(rows[lasting])
        return rows[lasting]

    def _reach(self, row: int) -> Reach:
        point = float(np.nan_to_num(self._memory.point_reach[row]))
        mean = float(self._memory.mean_reach[row])
        return Reach(point, point if np.isnan(mean) else mean, float(np.nan_to_num(self._memory.departure[row])))

    def _distances(self, rows: Integers, values: Floats, residual: Floats, extreme: Floats, course: Floats) -> Floats:
        memory = self._memory
        memory.values[rows] = _pushed(memory.values[rows], values)
        memory.residuals[rows] = _pushed(memory.residuals[rows], residual)
        recent, kept = memory.residuals[rows].astype(np.float64), memory.values[rows]
        full = ~np.isnan(recent).any(axis=1)
        nothing = _ROUNDING * np.abs(values)
        found = np.full((len(rows), _VIEWS), np.nan)
        found[:, VALUE] = np.where(np.isnan(course), np.nan, extreme)
        found[full, SPREAD] = np.sqrt((recent[full] ** 2).mean(axis=1))
        found[full, MEAN] = np.abs(recent[full].mean(axis=1))
        found[:, LEVEL] = _level_distance(kept)
        memory.seen[rows] += 1
        scaled = found[:, :LEVEL]
        scaled[scaled <= nothing[:, None]] = 0.0
        return found

    def _stands_still(self, rows: Integers, values: Floats, learning: Mask) -> Mask:
        memory = self._memory
        before = memory.values[rows][:, -2]
        lasted = memory.same[rows]
        same = np.where(values.astype(np.float32) == before, lasted + 1, 0)
        memory.same[rows] = same
        memory.moved[rows] += same == 0
        ended = (same == 0) & learning
        longest = np.where(ended, np.maximum(memory.longest_same[rows], lasted), memory.longest_same[rows])
        memory.longest_same[rows] = longest
        lived = memory.moved[rows] >= _MOVED_AT_LEAST
        return np.asarray(lived & (same >= _STILL_POINTS) & (same >= _STILL_FACTOR * longest))

    def _note_records(self, rows: Integers, distances: Floats) -> None:
        memory = self._memory
        largest = np.fmax.reduce(memory.records[rows], axis=2)
        age = np.where(memory.seen[rows] < _YOUNG_POINTS, 0.0, memory.last_at[rows] - memory.began[rows])
        factor = (RECORD + _YOUNG_RECORD * np.exp(-age / _YOUNG_SECONDS))[:, None]
        least = np.full(distances.shape, np.inf)
        least[:, :LEVEL] = _LEAST_CHANGE * np.abs(memory.expected[rows])[:, None]
        with np.errstate(invalid="ignore"):
            clear = np.where(largest > 0, distances >= factor * largest, (distances > 0) & (distances >= least))
        clear &= ~np.isnan(largest)
        since = np.where(clear.any(axis=1), 0, memory.since_record[rows] + 1)
        memory.since_record[rows] = since

    def _is_surprising(self, rows: Integers, surprise: Floats) -> Mask:
        memory = self._memory
        memory.surprises[rows] = _pushed(memory.surprises[rows], surprise)
        newest = np.fmax(memory.surprises[rows], 0.0)
        wanted = points_needed(memory.step[rows])
        lasting = np.where(wanted >= 2, np.minimum(newest[:, -1], newest[:, -2]), newest[:, -1])
        lasting = np.where(wanted >= 3, np.minimum(lasting, newest[:, -3]), lasting)
        return np.asarray((lasting >= LEAST_SURPRISE) & (memory.since_record[rows] < _RECENT))

    def _is_sudden_extreme(self, rows: Integers, values: Floats, unknown: Mask) -> Mask:
        """Whether a value is far outside the range of the last few hundred, and came there within a few points.

        Far is by half that range, or, while the course is unknown, by four times it: the climb of a first morning, or
        a first batch at night, is no departure.
        """
        kept = self._memory.values[rows].astype(np.float64)
        earlier, recent = kept[:, :-_RECENT], kept[:, -_RECENT - _SUDDEN :]
        low, high = np.fmin.reduce(earlier, axis=1), np.fmax.reduce(earlier, axis=1)
        room, middle = np.where(unknown, 4.0, 0.5) * (high - low), (high + low) / 2
        largest_jump = np.fmax.reduce(np.abs(recent[:, _SUDDEN:] - recent[:, :-_SUDDEN]), axis=1)
        is_outside = (values > high + room) | (values < low - room)
        return np.asarray(is_outside & (largest_jump >= 0.5 * np.abs(values - middle)))

    def _step_on(self, rows: Integers, times: Floats) -> None:
        """Remember when the points came. The step follows slowly, so that a gap or two do not change it."""
        memory = self._memory
        gap, step = times - memory.last_at[rows], memory.step[rows]
        nearer = step + 0.1 * np.clip(gap - step, -step, step)
        memory.step[rows] = np.where(np.isnan(step), gap, nearer)
        memory.last_at[rows] = times
        memory.began[rows] = np.where(np.isnan(memory.began[rows]), times, memory.began[rows])

    def _remember(self, rows: Integers, times: Floats, distances: Floats) -> None:
        memory = self._memory
        self._surprises.learn(rows, distances)
        leaving = memory.distances[rows][:, :, 0]
        memory.distances[rows] = _pushed(memory.distances[rows], distances)
        self._rotate_blocks(rows, times)
        memory.records[rows, :, 0] = np.fmax(memory.records[rows, :, 0], leaving)

    def _rotate_blocks(self, rows: Integers, times: Floats) -> None:
        memory = self._memory
        memory.block_began[rows] = np.where(np.isnan(memory.block_began[rows]), times, memory.block_began[rows])
        memory.block_points[rows] += 1
        over = (times - memory.block_began[rows] >= _BLOCK_SECONDS) & (memory.block_points[rows] >= _BLOCK_POINTS)
        full = rows[over]
        if len(full):
            memory.records[full] = np.roll(memory.records[full], 1, axis=2)
            memory.records[full, :, 0] = np.nan
            memory.block_began[full], memory.block_points[full] = times[over], 0

    def _clear_after_gap(self, rows: Integers, times: Floats) -> None:
        """After a long gap the newest values say nothing of what is now."""
        memory = self._memory
        gap, step = times - memory.last_at[rows], memory.step[rows]
        stale = rows[gap > np.maximum(12 * step, 3600.0)]
        forgotten = rows[gap >= np.fmax(_FORGOTTEN_SECONDS, 3 * step)]
        if len(forgotten):
            self.restart(forgotten)
            memory.values[forgotten] = np.nan
        memory.residuals[stale], memory.surprises[stale], memory.same[stale] = np.nan, np.nan, 0


def _pushed(kept: NDArray[np.float32], newest: Floats) -> NDArray[np.float32]:
    return np.concatenate([kept[..., 1:], newest.astype(np.float32)[..., None]], axis=-1)


def _middle(values: NDArray[np.float32]) -> Floats:
    known = ~np.isnan(values)
    return np.where(known.any(axis=1), medians(values.astype(np.float64), known), np.nan)


def _mean_of_known(surprises: Floats) -> Floats:
    known = ~np.isnan(surprises)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, surprises, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _level_distance(values: NDArray[np.float32]) -> Floats:
    """Return the distance of the mean of the newest 30 from that of the 300 before, in standard deviations, (n,)."""
    known = ~np.isnan(values)
    before, every = known[:, :-_SHORT].sum(axis=1), known.sum(axis=1)
    count, total = np.maximum(before, 1), np.maximum(every, 1)
    zeroed = np.where(known, values, np.float32(0.0))
    usual = zeroed[:, :-_SHORT].sum(axis=1, dtype=np.float64) / count
    apart = np.where(known, values - usual[:, None].astype(np.float32), np.float32(0.0))
    squares = (apart * apart).astype(np.float32)
    squares_before = squares[:, :-_SHORT].sum(axis=1, dtype=np.float64)
    recent = apart[:, -_SHORT:].sum(axis=1, dtype=np.float64)
    spread = np.sqrt(squares_before / count)
    mean = (apart[:, :-_SHORT].sum(axis=1, dtype=np.float64) + recent) / total
    wide = np.sqrt(np.maximum(squares.sum(axis=1, dtype=np.float64) / total - mean**2, 0.0))
    shift = np.abs(recent / np.maximum(every - before, 1))
    nothing = 1e-6 * np.abs(usual)
    distance = np.minimum(shift / np.maximum(spread + 0.1 * wide + nothing, 1e-300), _FURTHEST)
    return np.where(every > _LEVEL_AFTER, np.where(shift <= nothing, 0.0, distance), np.nan)
