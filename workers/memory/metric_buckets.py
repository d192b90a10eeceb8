"""The buckets of every custom metric that the watch keeps: its mean in each past hour and in each of the last minutes.

The newest hours and minutes are read again, because points come late.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.metrics.usual_course import HOURS_A_DAY, MOST_DAYS
from detection.types import Floats, Integers
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS, KeepsMetricMemories, MetricLevels
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

_Row = np.ndarray[tuple[int], np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Minutes:
    """All buckets of the minutes from `since` on, up to the newest that is whole."""

    since: float
    levels: MetricLevels

    def between(self, since: float, until: float) -> MetricLevels:
        """Return the buckets in [since, until)."""
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


class MetricBuckets:
    """The series, numbered from 0 in the order in which they were first seen, and their buckets."""

    def __init__(self) -> None:
        self.numbers: dict[Key, int] = {}
        self.hours: dict[float, _Row] = {}
        self.minutes: dict[float, _Row] = {}
        self._numbered_last: tuple[Sequence[Key], Integers] = ((), np.empty(0, dtype=np.int64))
        self._hours_at: float | None = None
        self._hours_are_missing = True

    def numbered(self, names: Sequence[Key]) -> Integers:
        """Return the number of each series; new ones get the next."""
        # A store gives the same names again while no series came or went.
        if names is not self._numbered_last[0]:
            numbers = [self.numbers.setdefault(name, len(self.numbers)) for name in names]
            self._numbered_last = names, np.array(numbers, dtype=np.int64)
        return self._numbered_last[1]

    def update(self, store: KeepsMetricMemories, minute: float) -> tuple[Minutes, bool]:
        """Read the newest minutes, and every ten minutes the newest hours.

        Return these minutes, and whether hours were read.
        """
        hours_at = minute // _HOURS_EVERY_SECONDS
        reads_hours = hours_at != self._hours_at or self._hours_are_missing
        if reads_hours:
            self._update_hours(store, minute)
            self._hours_at = hours_at
        oldest = minute - _MINUTES * FINE_METRIC_SECONDS
        for gone in [start for start in self.minutes if start < oldest]:
            del self.minutes[gone]
        known = max(self.minutes, default=oldest) - (_READ_AGAIN - 1) * FINE_METRIC_SECONDS
        since = max(oldest, min(known, minute - _READ_AGAIN * FINE_METRIC_SECONDS))
        starts = np.arange(since, minute, FINE_METRIC_SECONDS).tolist()
        return Minutes(since, self._read(store, self.minutes, FINE_METRIC_SECONDS, starts)), reads_hours

    def forget_unused(self) -> Integers | None:
        """Forget the series without a value in any bucket, once they are most of those known: they come and go.

        Return the numbers of those kept, which are numbered anew in this order; None if none was forgotten.
        """
        if any(2 * self._series_in(hour) >= len(self.numbers) for hour in list(self.hours)[-2:]):
            return None
        used = np.zeros(len(self.numbers), dtype=bool)
        for row in (*self.hours.values(), *self.minutes.values()):
            used[: len(row)] |= ~np.isnan(row)
        if 2 * int(used.sum()) >= len(used):
            return None
        kept, names = np.flatnonzero(used), list(self.numbers)
        self.numbers = {names[number]: place for place, number in enumerate(kept.tolist())}
        self._numbered_last = (), np.empty(0, dtype=np.int64)
        self.hours = {start: row[kept[kept < len(row)]] for start, row in self.hours.items()}
        self.minutes = {start: row[kept[kept < len(row)]] for start, row in self.minutes.items()}
        return kept

    def matrix(self, held: dict[float, _Row], starts: Sequence[float]) -> Floats:
        """Return the means of some hours or minutes, (series, starts); NaN where there is none."""
        matrix = np.full((len(starts), len(self.numbers)), np.nan)
        for place, start in enumerate(starts):
            row = held.get(start)
            if row is not None:
                matrix[place, : len(row)] = row
        return matrix.T

    def _update_hours(self, store: KeepsMetricMemories, minute: float) -> None:
        newest = minute // COARSE_SECONDS * COARSE_SECONDS
        count = MOST_DAYS * HOURS_A_DAY + 1
        wanted = [newest - number * COARSE_SECONDS for number in range(count)]
        for gone in self.hours.keys() - set(wanted):
            del self.hours[gone]
        # A dict keeps its insertion order, and each hour read goes to its end: the first was read longest ago.
        longest_ago = next(iter(self.hours), newest)
        unknown = [hour for hour in wanted if hour not in self.hours]
        missing = {newest, newest - COARSE_SECONDS, longest_ago, *unknown[:_HOURS_AT_ONCE]}
        self._hours_are_missing = len(unknown) > _HOURS_AT_ONCE
        before = self._series_in(longest_ago)
        for stretch in _consecutive_runs(sorted(missing)):
            self._read(store, self.hours, COARSE_SECONDS, stretch)
        if longest_ago < newest - COARSE_SECONDS and changed_by_factor(before, self._series_in(longest_ago)):
            # Other data has arrived, such as an import: read the older hours again, a few at each minute.
            self.hours = {hour: row for hour, row in self.hours.items() if hour in missing}
            self._hours_are_missing = True

    def _series_in(self, hour: float) -> int:
        row = self.hours.get(hour)
        return 0 if row is None else int((~np.isnan(row)).sum())

    def _read(
        self, store: KeepsMetricMemories, into: dict[float, _Row], bucket_seconds: int, starts: Sequence[float]
    ) -> MetricLevels:
        """Read consecutive buckets, oldest first; return them."""
        levels = store.metric_levels(since=starts[0], until=starts[-1] + bucket_seconds, bucket_seconds=bucket_seconds)
        numbers = self.numbered(levels.names)
        ends = np.searchsorted(levels.bucket_starts, starts, side="right")
        begins = np.searchsorted(levels.bucket_starts, starts, side="left")
        for start, begin, end in zip(starts, begins, ends, strict=True):
            row = np.full(len(self.numbers), np.nan, dtype=np.float32)
            row[numbers[levels.rows[begin:end]]] = levels.means[begin:end]
            into.pop(start, None)
            into[start] = row
        return levels


def _consecutive_runs(hours: Sequence[float]) -> list[list[float]]:
    """Split the hours, oldest first, into runs of consecutive ones."""
    found: list[list[float]] = []
    for hour in hours:
        if found and hour - found[-1][-1] <= COARSE_SECONDS:
            found[-1].append(hour)
        else:
            found.append([hour])
    return found
