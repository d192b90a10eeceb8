"""The watch of every custom metric: each new point is judged once, in the order of its time.

Of each series are kept its memory (`detection.metrics.stream`, a few kilobytes), and its hours and minutes
(`metric_buckets`). The memories are stored from time to time, so that a new process goes on where the last one stopped;
what came meanwhile is judged first.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from detection.metrics.findings import Departure
from detection.metrics.forecasts import MetricLimit
from detection.metrics.series import STALE_STEPS, MetricOptions
from detection.metrics.stream import LEAST_POINTS, MetricStreams
from detection.types import Floats, Integers
from storage.telemetry.protocol import (
    FINE_METRIC_SECONDS,
    METRIC_MINUTES_KEPT_SECONDS,
    KeepsMetricMemories,
    MetricLevels,
)
from workers.memory.broken_times import PastIncident
from workers.memory.limits_within_reach import LimitsWithinReach
from workers.memory.metric_buckets import Key, MetricBuckets, Minutes
from workers.memory.metric_courses import UsualCourse, fingerprint_of, usual_course

_LATE_MINUTES = (175, 60, 20, 9, 5)
"""Minutes so long ago are looked at once more: some senders are always late, and a metric of days by hours."""

_KEPT_EVERY_SECONDS, _KEPT_A_MINUTE = 3600.0, 250
"""Memories are stored once an hour, at most so many a minute, and at each tick as many as the time since the last."""

_POINTS_AT_ONCE, _MINUTES_AT_ONCE = 60_000, 3
"""After a pause, the points and the minutes that one tick judges at least."""


class MetricMemory:
    """The compact memory of every custom metric. One per process; one tick at a time uses it."""

    def __init__(self) -> None:
        self._buckets = MetricBuckets()
        self._streams = MetricStreams()
        self._course: UsualCourse | None = None
        self._judged: float | None = None
        self._judged_until: float | None = None
        self._kept_at: Floats = np.empty(0)
        self._kept_last = -math.inf
        self._limits = LimitsWithinReach()
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
            names = self.keys()
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
        row, course = self._buckets.numbers.get(key), self._course
        if row is None or course is None or row >= len(course.expected):
            return False
        return int(self._streams.seen[row]) >= LEAST_POINTS and not bool(np.isnan(course.expected[row]))

    def usual_range(self, key: Key) -> tuple[float, float]:
        """Return between what 99 % of a series' points were expected to be at its newest point; NaN if unknown."""
        row = self._buckets.numbers.get(key)
        if row is None or row >= len(self._streams):
            return math.nan, math.nan
        reach, expected = float(self._streams.usual_reach(np.array([row]))[0][0]), float(self._streams.expected[row])
        return expected - reach, expected + reach

    def normal_since(self, key: Key) -> float:
        """Return when the change happened that is a series' present normal; NaN if none is remembered."""
        row = self._buckets.numbers.get(key)
        return math.nan if row is None or row >= len(self._streams) else float(self._streams.normal_since[row])

    def worth_forecasting(
        self, limits: Sequence[MetricLimit], *, now: float, every_seconds: float, most: int
    ) -> list[MetricLimit]:
        """Return the next `most` limits that their series may reach, the nearest first.

        All such limits get their turn in the course of the calls; a new round begins `every_seconds` after the last
        began at the earliest. Call `departures` first: it reads the series.
        """
        with self._one_at_a_time:
            return self._limits.take(self._buckets, limits, now=now, every_seconds=every_seconds, most=most)

    def keys(self) -> list[Key]:
        """Return every known series."""
        return list(self._buckets.numbers)

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

    def _update(self, store: KeepsMetricMemories, minute: float) -> Minutes:
        """Read the newest buckets; forget the series that are gone. Return the newest minutes."""
        newest, read_hours = self._buckets.update(store, minute)
        kept = self._buckets.forget_unused() if read_hours else None
        if kept is not None:
            self._streams.keep_only(kept[kept < len(self._streams)])
            self._kept_at = self._kept_at[kept[kept < len(self._kept_at)]]
            self._course = None
        return newest

    def _judge_new_points(
        self,
        store: KeepsMetricMemories,
        minute: float,
        newest: Minutes,
        options: MetricOptions,
        past: Sequence[PastIncident],
    ) -> Integers:
        """Judge minute by minute what came since the last call. Return the series that left their course or came back.

        newest: the minutes just read. After a pause only a part is judged at once, so that a tick stays short.
        """
        before = self._streams.away()
        oldest = minute - METRIC_MINUTES_KEPT_SECONDS
        since = max(oldest, self._judged_until if self._judged_until is not None else oldest)
        most = max(_POINTS_AT_ONCE // max(len(self._buckets.numbers), 1), _MINUTES_AT_ONCE)
        until = min(minute, since + most * FINE_METRIC_SECONDS)
        for levels in _to_judge(store, since, until, newest):
            numbers = self._buckets.numbered(levels.names)
            self._streams.grow(len(self._buckets.numbers))
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
        values, low, high = levels.means[held], levels.lows[held], levels.highs[held]
        expected, doubtful = self._usual(start, options, past).of(rows, values)
        middle = np.where(np.isnan(expected), values, expected)
        farthest = np.where(high - middle >= middle - low, high, low)
        renewed = self._streams.observe(
            rows, np.full(len(rows), start), values, course=expected, doubtful=doubtful, farthest=farthest
        )
        if len(renewed):
            self._course = None

    def _usual(self, at: float, options: MetricOptions, past: Sequence[PastIncident]) -> UsualCourse:
        if self._course is None or not self._course.holds_at(at, self._buckets):
            self._course = usual_course(
                self._buckets, at, timezone=options.timezone, normal_since=self._streams.normal_since, past=past
            )
        return self._course

    def _resume_recovered(self, past: Sequence[PastIncident]) -> None:
        """Learn again from the series that are back and of which no incident is open."""
        away = self._streams.away().tolist()
        if not away:
            return
        names = self.keys()
        still_open = {name for one in past if one.ended is None for name in one.fingerprints}
        back = [
            row
            for row in away
            if not self._streams.describe(row).is_broken and fingerprint_of(names[row]) not in still_open
        ]
        self._streams.resume(np.array(back, dtype=np.int64))

    def _restore(self, store: KeepsMetricMemories) -> None:
        """Restore the stored memories of series that are new to this process."""
        self._streams.grow(len(self._buckets.numbers))
        fresh = self.keys()[len(self._kept_at) :]
        if not fresh:
            return
        for key, packed in store.metric_memories(fresh).items():
            self._streams.unpack(self._buckets.numbers[key], packed)
        self._kept_at = np.append(self._kept_at, np.full(len(fresh), -math.inf))

    def _keep(self, store: KeepsMetricMemories, now: float, changed: Integers) -> None:
        """Store the memories of the series that changed, and of some of those stored longest ago."""
        rows = np.union1d(changed[changed < len(self._kept_at)], self._due(now))
        if len(rows):
            names = self.keys()
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


def _to_judge(store: KeepsMetricMemories, since: float, until: float, newest: Minutes) -> Iterator[MetricLevels]:
    """Yield the buckets to judge, oldest first: those in [since, until), and before them those that may have come late.

    newest: the minutes just read. A series passes over what is not newer than its last point.
    """
    for late in _LATE_MINUTES:
        start = until - late * FINE_METRIC_SECONDS
        if start < min(since, newest.since):
            yield store.metric_levels(
                since=start, until=start + FINE_METRIC_SECONDS, bucket_seconds=FINE_METRIC_SECONDS
            )
    if since >= newest.since:
        yield newest.between(newest.since, until)
    elif until > since:
        yield store.metric_levels(since=since, until=until, bucket_seconds=FINE_METRIC_SECONDS)
