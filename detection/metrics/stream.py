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

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.metrics.course import NEW_NORMAL_AFTER_SECONDS, Reach, course_state, points_needed, still_state
from detection.metrics.distances import is_sudden_extreme, newest_residual, push_distances, stands_still
from detection.metrics.records import (
    begin_departures,
    end_departures,
    follow_departures,
    note_records,
    remember_distances,
)
from detection.metrics.stream_memory import (
    LONG,
    MEAN,
    RECENT,
    SHORT,
    SPREAD,
    VALUE,
    VIEWS,
    StreamMemory,
    pack,
    pushed,
    unpack,
)
from detection.metrics.surprise import WARM_UP, Surprises
from detection.recovery import RecoveryState
from detection.statistics.baselines import Mask, medians
from detection.types import Floats, Integers

LEAST_SURPRISE = 1.75
"""The least average surprise of a metric that is away, at each of its newest points."""

LEAST_POINTS = WARM_UP + RECENT
"""How many points of a series must be known before it is judged."""

_NOTICED_AFTER = 6
"""A metric leaves its course at most about so many points before that is noticed."""

_QUICK_SECONDS = 120.0
"""Before its daily rhythm is known, a metric is judged only if its points come at least as often as this."""

_FORGOTTEN_SECONDS = 3 * 86_400.0
"""A metric that was not heard for this long begins anew, unless its own points are that far apart."""


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


class MetricStreams:
    """The memory of many series. Rows number the series from 0; `grow` makes room for more."""

    def __init__(self, series: int = 0) -> None:
        self._memory = StreamMemory.of(series)
        self._surprises = Surprises(series, len(VIEWS))

    def __len__(self) -> int:
        return len(self._memory.seen)

    def grow(self, series: int) -> None:
        """Make room for this many series in all."""
        if series > len(self):
            self._memory.grow(series - len(self))
            self._surprises.grow(series)

    def keep_only(self, rows: Integers) -> None:
        """Forget all series but these, which are numbered anew in this order."""
        self._memory.keep_only(rows)
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
    def expected(self) -> Floats:
        """The value that was usual at each series' newest point, (series,); NaN where unknown."""
        return self._memory.expected

    @property
    def normal_since(self) -> Floats:
        """When the change happened that is each series' present normal, (series,); NaN if none is remembered."""
        return self._memory.normal_since

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
        return pack(self._memory, self._surprises, row)

    def unpack(self, row: int, packed: bytes) -> bool:
        """Restore what `pack` returned. Return False, and change nothing, if it is of another version."""
        return unpack(self._memory, self._surprises, row, packed)

    def resume(self, rows: Integers) -> None:
        """Note that these series are back on their course. What they were meanwhile is not learnt from."""
        memory = self._memory
        rows = rows[~np.isnan(memory.away_since[rows])]
        end_departures(memory, rows)
        for row in rows.tolist():
            step = max(float(memory.step[row]), 1.0)
            points = int((memory.last_at[row] - memory.away_since[row]) / step) + 1 + _NOTICED_AFTER
            memory.values[row, -min(points, SHORT + LONG) :] = np.nan
        memory.residuals[rows], memory.surprises[rows], memory.since_record[rows] = np.nan, np.nan, RECENT
        memory.away_since[rows], memory.broken[rows], memory.still[rows] = np.nan, False, False

    def restart(self, rows: Integers) -> None:
        """Learn these series anew: what they are now is their new normal."""
        self._memory.restart(rows)
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
        expected[unknown] = _middle(memory.values[rows[unknown]][:, -LONG:])
        memory.expected[rows] = expected
        residual = np.where(np.isnan(expected), 0.0, values - expected)
        extreme = np.where(np.isnan(expected), 0.0, farthest - expected)
        distances = push_distances(memory, rows, values, residual, np.abs(extreme), course)
        surprise = _mean_of_known(self._surprises.of(rows, distances))
        learning = np.isnan(memory.away_since[rows])
        still = stands_still(memory, rows, values, learning)
        note_records(memory, rows, distances)
        away = self._is_surprising(rows, surprise) & ~(unknown & (memory.step[rows] > _QUICK_SECONDS))
        doubtful = doubtful | unknown
        away[doubtful] &= is_sudden_extreme(memory, rows[doubtful], unknown[doubtful])
        self._step_on(rows, times)
        self._surprises.learn(rows[learning], distances[learning])
        remember_distances(memory, rows[learning], times[learning], distances[learning])
        follow_departures(memory, rows[~learning], distances[~learning])
        self._note_departures(rows[learning & (away | still)], still=rows[learning & still & ~away])
        return self._follow(rows[~np.isnan(memory.away_since[rows])])

    def _note_departures(self, rows: Integers, *, still: Integers) -> None:
        if not len(rows):
            return
        memory = self._memory
        memory.away_since[rows] = memory.last_at[rows]
        memory.point_reach[rows], memory.mean_reach[rows] = self.usual_reach(rows)
        memory.departure[rows] = np.abs(newest_residual(memory, rows))
        memory.still[still] = True
        begin_departures(memory, rows)

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

    def _is_surprising(self, rows: Integers, surprise: Floats) -> Mask:
        memory = self._memory
        memory.surprises[rows] = pushed(memory.surprises[rows], surprise)
        newest = np.fmax(memory.surprises[rows], 0.0)
        wanted = points_needed(memory.step[rows])
        lasting = np.where(wanted >= 2, np.minimum(newest[:, -1], newest[:, -2]), newest[:, -1])
        lasting = np.where(wanted >= 3, np.minimum(lasting, newest[:, -3]), lasting)
        return np.asarray((lasting >= LEAST_SURPRISE) & (memory.since_record[rows] < RECENT))

    def _step_on(self, rows: Integers, times: Floats) -> None:
        """Remember when the points came. The step follows slowly, so that a gap or two do not change it."""
        memory = self._memory
        gap, step = times - memory.last_at[rows], memory.step[rows]
        nearer = step + 0.1 * np.clip(gap - step, -step, step)
        memory.step[rows] = np.where(np.isnan(step), gap, nearer)
        memory.last_at[rows] = times
        memory.began[rows] = np.where(np.isnan(memory.began[rows]), times, memory.began[rows])

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


def _middle(values: NDArray[np.float32]) -> Floats:
    known = ~np.isnan(values)
    return np.where(known.any(axis=1), medians(values.astype(np.float64), known), np.nan)


def _mean_of_known(surprises: Floats) -> Floats:
    known = ~np.isnan(surprises)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, surprises, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
