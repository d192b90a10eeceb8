"""The watch of every custom metric: each new point is judged once, in the order of its time.

Of each series are kept its memory (`detection.metrics.stream`, a few kilobytes), its mean in each past hour, from which
its usual course follows, and its last minutes, from which limits within reach are chosen. The memories are stored from
time to time, so that a new process goes on where the last one stopped; what came meanwhile is judged first.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.metrics.findings import Departure
from detection.metrics.forecasts import MetricLimit, is_within_reach
from detection.metrics.series import STALE_STEPS, MetricOptions, metric_subject
from detection.metrics.stream import LEAST_POINTS, MetricStreams
from detection.metrics.usual_course import HOURS_A_DAY, HOURS_A_WEEK, MOST_DAYS, expected_levels, is_new_kind_of_day
from detection.statistics.baselines import HOUR_SECONDS, hours_of_week
from detection.types import Floats, Integers, Metric
from storage.telemetry.protocol import (
    COARSE_SECONDS,
    FINE_METRIC_SECONDS,
    METRIC_MINUTES_KEPT_SECONDS,
    KeepsMetricMemories,
    MetricLevels,
)
from workers.memory.broken_times import PastIncident, excluded_times, overlapping_hours
from workers.memory.other_data import changed_by_factor

Key = tuple[str, str, str]
"""service, name, attributes."""

_MINUTES = 30
_READ_AGAIN = 3
"""How many minutes are read again each time, for late points."""

_HOURS_AT_ONCE = 72
"""How many hours are read at most per tick: a new process learns the past step by step, the newest hours first."""

_HOURS_EVERY_SECONDS = 600.0
"""How often the newest hours are read again."""

_KEPT_EVERY_SECONDS, _KEPT_A_MINUTE = 3600.0, 250
"""Memories are stored once an hour, at most so many a minute, and at each tick as many as the time since the last."""

_POINTS_AT_ONCE, _MINUTES_AT_ONCE = 60_000, 3
"""After a pause, the points and the minutes that one tick judges at least."""

_Row = np.ndarray[tuple[int], np.dtype[np.float32]]
_Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class _Course:
    """What is usual in an hour, by series number. Series first seen later are not in it.

    without_clock_change: what is usual if the metric does not follow the clock on the wall when summer time begins or
    ends, as a batch that is planned in UTC does not.
    """

    hour: float
    hours_known: int
    expected: Floats
    without_clock_change: Floats
    doubtful: _Mask


@dataclass(frozen=True, slots=True)
class _Minutes:
    """All buckets of the minutes from `since` on, up to the newest that is whole."""

    since: float
    levels: MetricLevels

    def between(self, since: float, until: float) -> MetricLevels | None:
        """Return the buckets in [since, until); None if they begin earlier than these."""
        if since < self.since:
            return None
        levels = self.levels
        first, last = np.searchsorted(levels.bucket_starts, [since, until]).tolist()
        held = slice(first, last)
        return MetricLevels(
            levels.names,
            levels.rows[held],
            levels.bucket_starts[held],
            levels.means[held],
            levels.lows[held],
            levels.highs[held],
        )


class MetricMemory:
    """The compact memory of every custom metric. One per process; one tick at a time uses it."""

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}
        self._numbered_last: tuple[Sequence[Key], Integers] = ((), np.empty(0, dtype=np.int64))
        self._hours: dict[float, _Row] = {}
        self._minutes: dict[float, _Row] = {}
        self._streams = MetricStreams()
        self._hours_at: float | None = None
        self._hours_are_missing = True
        self._course: _Course | None = None
        self._judged: float | None = None
        self._judged_until: float | None = None
        self._kept_at: Floats = np.empty(0)
        self._kept_last = -math.inf
        self._waiting: list[MetricLimit] = []
        self._forecast_at: float | None = None
        self._one_at_a_time = threading.Lock()

    def departures(
        self, store: KeepsMetricMemories, *, now: float, options: MetricOptions, past: Sequence[PastIncident]
    ) -> list[tuple[Key, Departure]]:
        """Judge what came since the last call; return the series that are away from their usual course.

        At most once a minute: an empty list in between. past: present and past incidents. Their time is not usual, and
        a series that is back is learnt from again only when the incident about it is over.
        """
        with self._one_at_a_time:
            minute = now // FINE_METRIC_SECONDS * FINE_METRIC_SECONDS
            if minute == self._judged:
                self._keep(store, now, np.empty(0, dtype=np.int64))
                return []
            self._judged = minute
            newest = self._update(store, minute)
            self._restore(store)
            changed = self._judge_new_points(store, minute, newest, options, past)
            self._resume_recovered(past)
            self._keep(store, now, changed)
            names = list(self._numbers)
            return [
                (names[row], departure)
                for row in self._streams.away().tolist()
                if (departure := self._departure(row, now, options)) is not None
            ]

    @property
    def judged_until(self) -> float | None:
        """Until when all points were judged; None before the first call."""
        return self._judged_until

    def is_judged(self, key: Key) -> bool:
        """Whether enough is known of a series to judge its newest point by its usual course."""
        row, course = self._numbers.get(key), self._course
        if row is None or course is None or row >= len(course.expected):
            return False
        return int(self._streams.seen[row]) >= LEAST_POINTS and not bool(np.isnan(course.expected[row]))

    def usual_range(self, key: Key) -> tuple[float, float]:
        """Return between what 99 % of a series' points were expected to be at its newest point; NaN if unknown."""
        row = self._numbers.get(key)
        if row is None or row >= len(self._streams):
            return math.nan, math.nan
        reach, expected = float(self._streams.usual_reach(np.array([row]))[0][0]), float(self._streams.expected[row])
        return expected - reach, expected + reach

    def normal_since(self, key: Key) -> float:
        """Return when the change happened that is a series' present normal; NaN if none is remembered."""
        row = self._numbers.get(key)
        return math.nan if row is None or row >= len(self._streams) else float(self._streams.normal_since[row])

    def worth_forecasting(
        self, limits: Sequence[MetricLimit], *, now: float, every_seconds: float, most: int
    ) -> list[MetricLimit]:
        """Return the next `most` limits that their series may reach, the nearest first.

        All such limits get their turn in the course of the calls; a new round begins `every_seconds` after the last
        began at the earliest. Call `unusual` first: it reads the series.
        """
        with self._one_at_a_time:
            if not self._waiting and (self._forecast_at is None or now - self._forecast_at >= every_seconds):
                self._waiting = self._within_reach(limits, now)
                self._forecast_at = now
            taken, self._waiting = self._waiting[:most], self._waiting[most:]
            return taken

    def keys(self) -> list[Key]:
        """Return every known series."""
        return list(self._numbers)

    def _departure(self, row: int, now: float, options: MetricOptions) -> Departure | None:
        """Return how a series that is away stands; None if its newest points are usual, or old."""
        streams, away = self._streams, self._streams.describe(row)
        step, last_at = float(np.nan_to_num(streams.step[row])), float(streams.last_at[row])
        is_stale = now - last_at > max(options.stale_seconds, STALE_STEPS * step)
        if not away.is_broken or is_stale:
            return None
        return Departure(
            away.expected, away.reach, away.surprise, away.stands_still, step, int(streams.seen[row]), away.since
        )

    def _judge_new_points(
        self,
        store: KeepsMetricMemories,
        minute: float,
        newest: _Minutes,
        options: MetricOptions,
        past: Sequence[PastIncident],
    ) -> Integers:
        """Judge minute by minute what came since the last call. Return the series that left their course or came back.

        newest: the minutes just read. After a pause only a part is judged at once, so that a tick stays short.
        """
        self._streams.grow(len(self._numbers))
        before = self._streams.away()
        oldest = minute - METRIC_MINUTES_KEPT_SECONDS
        since = max(oldest, self._judged_until if self._judged_until is not None else oldest)
        most = max(_POINTS_AT_ONCE // max(len(self._numbers), 1), _MINUTES_AT_ONCE)
        until = min(minute, since + most * FINE_METRIC_SECONDS)
        if until > since:
            levels = newest.between(since, until)
            if levels is None:
                levels = store.metric_levels(since=since, until=until, bucket_seconds=FINE_METRIC_SECONDS)
            numbers = self._numbered(levels.names)
            self._streams.grow(len(self._numbers))
            edges = np.flatnonzero(np.diff(levels.bucket_starts)) + 1
            for held in np.split(np.arange(len(levels.rows)), edges):
                if len(held):
                    self._judge(numbers[levels.rows[held]], levels, held, options, past)
        self._judged_until = until
        if until < minute:
            # What is left is judged at the next tick instead of the next minute.
            self._judged = None
        return np.setxor1d(before, self._streams.away())

    def _judge(
        self, rows: Integers, levels: MetricLevels, held: Integers, options: MetricOptions, past: Sequence[PastIncident]
    ) -> None:
        start = float(levels.bucket_starts[held[0]])
        newer = ~(self._streams.last_at[rows] >= start)
        rows, held = rows[newer], held[newer]
        if not len(rows):
            return
        course = self._usual(start, options, past)
        known = rows < len(course.expected)
        expected, doubtful = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=bool)
        by_clock, by_sun = course.expected[rows[known]], course.without_clock_change[rows[known]]
        values = levels.means[held][known]
        expected[known] = np.where(np.abs(values - by_sun) < np.abs(values - by_clock), by_sun, by_clock)
        doubtful[known] = course.doubtful[rows[known]]
        low, high = levels.lows[held], levels.highs[held]
        middle = np.where(np.isnan(expected), levels.means[held], expected)
        farthest = np.where(high - middle >= middle - low, high, low)
        renewed = self._streams.observe(
            rows, np.full(len(rows), start), levels.means[held], course=expected, doubtful=doubtful, farthest=farthest
        )
        if len(renewed):
            self._course = None

    def _usual(self, at: float, options: MetricOptions, past: Sequence[PastIncident]) -> _Course:
        """Return the usual course in the hour of `at`, from the hours before it in which a series was not broken."""
        hour = at // COARSE_SECONDS * COARSE_SECONDS
        known = self._course
        if known is not None and (known.hour, known.hours_known) == (hour, len(self._hours)):
            return known
        starts = np.arange(hour - MOST_DAYS * HOURS_A_DAY * COARSE_SECONDS, hour, COARSE_SECONDS)
        every = self._matrix(self._hours, starts.tolist())
        self._leave_out_earlier_normals(every, starts)
        unbroken = every.copy()
        self._leave_out_broken(unbroken, starts, past, at)
        by_clock = hours_of_week(np.append(starts, hour), options.timezone)
        by_sun = hours_of_week(np.append(starts, hour), "UTC")
        expected = _expected(unbroken, every, by_clock)
        same = np.array_equal(np.diff(by_clock) % HOURS_A_WEEK, np.diff(by_sun) % HOURS_A_WEEK)
        self._course = _Course(
            hour,
            len(self._hours),
            expected,
            expected if same else _expected(unbroken, every, by_sun),
            is_new_kind_of_day(every, by_clock[:-1], int(by_clock[-1])),
        )
        return self._course

    def _leave_out_earlier_normals(self, levels: Floats, starts: Floats) -> None:
        since = self._streams.normal_since
        for row in np.flatnonzero(~np.isnan(since)).tolist():
            levels[row, starts < since[row]] = np.nan

    def _leave_out_broken(self, levels: Floats, starts: Floats, past: Sequence[PastIncident], now: float) -> None:
        for row, key in self._with_incident(past):
            for began, ended in excluded_times(past, fingerprint_of(key), now):
                levels[row, overlapping_hours(starts, began, ended)] = np.nan

    def _with_incident(self, past: Sequence[PastIncident]) -> list[tuple[int, Key]]:
        mine = {name for one in past for name in one.fingerprints if name.startswith(f"{Metric.CUSTOM}:")}
        if not mine:
            return []
        return [(row, key) for key, row in self._numbers.items() if fingerprint_of(key) in mine]

    def _resume_recovered(self, past: Sequence[PastIncident]) -> None:
        """Learn again from the series that are back and of which no incident is open."""
        names = list(self._numbers)
        still_open = {name for one in past if one.ended is None for name in one.fingerprints}
        back = [
            row
            for row in self._streams.away().tolist()
            if not self._streams.describe(row).is_broken and fingerprint_of(names[row]) not in still_open
        ]
        self._streams.resume(np.array(back, dtype=np.int64))

    def _restore(self, store: KeepsMetricMemories) -> None:
        """Restore the stored memories of series that are new to this process."""
        fresh = list(self._numbers)[len(self._kept_at) :]
        if not fresh:
            return
        self._streams.grow(len(self._numbers))
        for key, packed in store.metric_memories(fresh).items():
            self._streams.unpack(self._numbers[key], packed)
        self._kept_at = np.append(self._kept_at, np.full(len(fresh), -math.inf))

    def _keep(self, store: KeepsMetricMemories, now: float, changed: Integers) -> None:
        """Store the memories of the series that changed, and of some of those stored longest ago."""
        rows = np.union1d(changed[changed < len(self._kept_at)], self._due(now))
        if len(rows):
            names = list(self._numbers)
            store.keep_metric_memories({names[row]: self._streams.pack(row) for row in rows.tolist()})
            self._kept_at[rows] = now

    def _due(self, now: float) -> Integers:
        """Return the series whose memory was stored longest ago, as many as the time since the last call allows."""
        most = int(_KEPT_A_MINUTE * min(now - self._kept_last, FINE_METRIC_SECONDS) / FINE_METRIC_SECONDS)
        due = np.flatnonzero(now - self._kept_at >= _KEPT_EVERY_SECONDS)
        if most < 1 or not len(due):
            return due[:0]
        self._kept_last = now
        return due[np.argsort(self._kept_at[due], kind="stable")[:most]]

    def _numbered(self, names: Sequence[Key]) -> Integers:
        """Return the number of each series; new ones get the next."""
        # A store gives the same names again while no series came or went.
        if names is not self._numbered_last[0]:
            numbers = [self._numbers.setdefault(name, len(self._numbers)) for name in names]
            self._numbered_last = names, np.array(numbers, dtype=np.int64)
        return self._numbered_last[1]

    def _update(self, store: KeepsMetricMemories, minute: float) -> _Minutes:
        """Read the newest hours and minutes; return these minutes."""
        hours_at = minute // _HOURS_EVERY_SECONDS
        if hours_at != self._hours_at or self._hours_are_missing:
            self._update_hours(store, minute)
            self._hours_at = hours_at
            self._forget_unused()
        oldest = minute - _MINUTES * FINE_METRIC_SECONDS
        for gone in [start for start in self._minutes if start < oldest]:
            del self._minutes[gone]
        known = max(self._minutes, default=oldest) - (_READ_AGAIN - 1) * FINE_METRIC_SECONDS
        since = max(oldest, min(known, minute - _READ_AGAIN * FINE_METRIC_SECONDS))
        starts = np.arange(since, minute, FINE_METRIC_SECONDS).tolist()
        return _Minutes(since, self._read(store, self._minutes, FINE_METRIC_SECONDS, starts))

    def _update_hours(self, store: KeepsMetricMemories, minute: float) -> None:
        newest = minute // COARSE_SECONDS * COARSE_SECONDS
        count = MOST_DAYS * HOURS_A_DAY + 1
        wanted = [newest - number * COARSE_SECONDS for number in range(count)]
        for gone in self._hours.keys() - set(wanted):
            del self._hours[gone]
        # A dict keeps its insertion order, and each hour read goes to its end: the first was read longest ago.
        longest_ago = next(iter(self._hours), newest)
        unknown = [hour for hour in wanted if hour not in self._hours]
        missing = {newest, newest - COARSE_SECONDS, longest_ago, *unknown[:_HOURS_AT_ONCE]}
        self._hours_are_missing = len(unknown) > _HOURS_AT_ONCE
        before = self._series_in(longest_ago)
        for stretch in _consecutive_runs(sorted(missing)):
            self._read(store, self._hours, COARSE_SECONDS, stretch)
        if longest_ago < newest - COARSE_SECONDS and changed_by_factor(before, self._series_in(longest_ago)):
            # Other data has arrived, such as an import: read the older hours again, a few at each minute.
            self._hours = {hour: row for hour, row in self._hours.items() if hour in missing}
            self._hours_are_missing = True

    def _forget_unused(self) -> None:
        """Forget the series without a value in any bucket, once they are most of those known: they come and go."""
        if any(2 * self._series_in(hour) >= len(self._numbers) for hour in list(self._hours)[-2:]):
            return
        used = np.zeros(len(self._numbers), dtype=bool)
        for row in (*self._hours.values(), *self._minutes.values()):
            used[: len(row)] |= ~np.isnan(row)
        if 2 * int(used.sum()) >= len(used):
            return
        kept, names = np.flatnonzero(used), list(self._numbers)
        self._numbers = {names[number]: place for place, number in enumerate(kept.tolist())}
        self._streams.keep_only(kept[kept < len(self._streams)])
        self._numbered_last = (), np.empty(0, dtype=np.int64)
        self._kept_at = self._kept_at[kept[kept < len(self._kept_at)]]
        self._hours = {start: row[kept[kept < len(row)]] for start, row in self._hours.items()}
        self._minutes = {start: row[kept[kept < len(row)]] for start, row in self._minutes.items()}
        self._course = None

    def _series_in(self, hour: float) -> int:
        row = self._hours.get(hour)
        return 0 if row is None else int((~np.isnan(row)).sum())

    def _read(
        self, store: KeepsMetricMemories, into: dict[float, _Row], bucket_seconds: int, starts: Sequence[float]
    ) -> MetricLevels:
        """Read consecutive buckets, oldest first; return them."""
        levels = store.metric_levels(since=starts[0], until=starts[-1] + bucket_seconds, bucket_seconds=bucket_seconds)
        numbers = self._numbered(levels.names)
        ends = np.searchsorted(levels.bucket_starts, starts, side="right")
        begins = np.searchsorted(levels.bucket_starts, starts, side="left")
        for start, begin, end in zip(starts, begins, ends, strict=True):
            row = np.full(len(self._numbers), np.nan, dtype=np.float32)
            row[numbers[levels.rows[begin:end]]] = levels.means[begin:end]
            into.pop(start, None)
            into[start] = row
        return levels

    def _matrix(self, held: dict[float, _Row], starts: Sequence[float]) -> Floats:
        """Return the means, (series, starts); NaN where there is none."""
        matrix = np.full((len(starts), len(self._numbers)), np.nan)
        for place, start in enumerate(starts):
            row = held.get(start)
            if row is not None:
                matrix[place, : len(row)] = row
        return matrix.T

    def _within_reach(self, limits: Sequence[MetricLimit], now: float) -> list[MetricLimit]:
        """Return the limits that their series may reach, nearest first, by its range over as long as the horizon."""
        known = [limit for limit in limits if (limit.service, limit.name, limit.attributes) in self._numbers]
        if not known:
            return []
        rows = [self._numbers[limit.service, limit.name, limit.attributes] for limit in known]
        minutes = self._matrix(self._minutes, sorted(self._minutes))[rows]
        hours = self._matrix(self._hours, sorted(self._hours))[rows]
        past = now - np.array(sorted(self._hours))[None, :]
        horizons = np.array([limit.horizon_seconds or HOUR_SECONDS for limit in known])
        hours = np.where(past <= horizons[:, None] + 2 * HOUR_SECONDS, hours, np.nan)
        both = np.concatenate([hours, minutes], axis=1)
        held = ~np.isnan(both)
        heard = (~np.isnan(minutes)).any(axis=1)
        lowest = np.where(held, both, np.inf).min(axis=1, initial=np.inf)
        highest = np.where(held, both, -np.inf).max(axis=1, initial=-np.inf)
        last = minutes.shape[1] - 1 - np.argmax((~np.isnan(minutes))[:, ::-1], axis=1)
        newest = np.where(heard, minutes[np.arange(len(rows)), last], np.nan)
        threshold, above = np.array([limit.threshold for limit in known]), np.array([limit.above for limit in known])
        near: _Mask = heard & is_within_reach(lowest, highest, newest, threshold, above)
        room = np.where(above, threshold - newest, newest - threshold)
        return [known[place] for place in np.argsort(room, kind="stable").tolist() if near[place]]


def _expected(unbroken: Floats, every: Floats, hours: Integers) -> Floats:
    """Return what is expected in the last of the hours of the week, (series,); levels (series, n) of those before.

    An hour that was broken on every day, such as that of a batch at night, is usual.
    """
    usual = expected_levels(unbroken, hours[:-1], int(hours[-1]))
    return np.where(np.isnan(usual), expected_levels(every, hours[:-1], int(hours[-1])), usual)


def fingerprint_of(key: Key) -> str:
    """Return the fingerprint of findings about a series."""
    return f"{Metric.CUSTOM}:{metric_subject(*key).key()}"


def _consecutive_runs(hours: Sequence[float]) -> list[list[float]]:
    """Split the hours, oldest first, into runs of consecutive ones."""
    found: list[list[float]] = []
    for hour in hours:
        if found and hour - found[-1][-1] <= COARSE_SECONDS:
            found[-1].append(hour)
        else:
            found.append([hour])
    return found
