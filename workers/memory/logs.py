"""Select the log templates and patterns to read in full at a tick, from a memory of every series' past windows.

At most ticks nearly all series log as much as in many windows before. The detector calls a count unusual only if it
exceeds that of all but a few windows of the baseline. So a series that had as many lines in more windows is not read.

Each tick reads again only the newest hour and the hour read longest ago. So late lines are included within as many
ticks as the baseline has hours.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from detection.logs.findings import LogOptions, window_end
from detection.logs.rates import SPIKES_FORGIVEN
from detection.types import Integers
from storage.telemetry.protocol import (
    COARSE_SECONDS,
    LOG_OTHER,
    LOG_PATTERN,
    LOG_SEVERITY,
    LOG_WINDOW_SECONDS,
    LogLevels,
    LogName,
    TelemetryStore,
)
from workers.memory.other_data import changed_by_factor

HOURS_PER_QUERY = 24


@dataclass(frozen=True, slots=True)
class Suspects:
    """The series that may have a finding, and the number of series checked."""

    names: Sequence[LogName]
    checked: int


@dataclass(frozen=True, slots=True)
class _Hour:
    """One hour. numbers: (series,), the numbers of the series with lines; line_count: (series, windows)."""

    numbers: Integers
    line_count: np.ndarray[tuple[int, int], np.dtype[np.uint32]]


class LogMemory:
    """The past windows of every template and pattern. One per process; one tick at a time uses it."""

    def __init__(self) -> None:
        self._numbers: dict[LogName, int] = {}
        self._hours: dict[float, _Hour] = {}
        self._one_at_a_time = threading.Lock()

    def worth_reading(
        self, store: TelemetryStore, *, now: float, options: LogOptions, always: Collection[LogName] = ()
    ) -> Suspects:
        """Return the series that may have a finding, including all that have one.

        always: series to return regardless of their past windows, because these include the time of an incident.
        """
        until = window_end(now, options)
        with self._one_at_a_time:
            heard = _watched(store.log_totals(since=until - options.window_seconds, until=until))
            if not heard.names:
                return Suspects((), 0)
            self._update_hours(store, until, options)
            counts = heard.line_count[:, 0]
            are_patterns = np.array([name.kind == LOG_PATTERN for name in heard.names])
            enough = counts >= np.where(are_patterns, options.minimum_pattern_lines, options.minimum_new_lines)
            as_much = self._windows_with_as_many(heard, until - options.window_seconds)
            suspicious = enough & (as_much <= SPIKES_FORGIVEN)
            names = [name for name, is_one in zip(heard.names, suspicious, strict=True) if is_one or name in always]
            return Suspects(names, len(heard.names))

    def _update_hours(self, store: TelemetryStore, until: float, options: LogOptions) -> None:
        """Read the missing hours; read again the newest and the one read longest ago.

        When the one read longest ago has changed by a factor, other data has arrived: read all hours again.
        """
        newest = until // COARSE_SECONDS * COARSE_SECONDS
        wanted = [newest - number * COARSE_SECONDS for number in range(options.baseline_days * 24 + 1)]
        for gone in self._hours.keys() - set(wanted):
            del self._hours[gone]
        self._forget_unused()
        # A dict keeps its insertion order, and each hour read goes to its end: the first was read longest ago.
        longest_ago = next(iter(self._hours), newest)
        before = self._lines_in(longest_ago)
        self._read(store, sorted({newest, longest_ago, *(hour for hour in wanted if hour not in self._hours)}))
        if longest_ago != newest and changed_by_factor(before, self._lines_in(longest_ago)):
            self._read(store, sorted(wanted))

    def _forget_unused(self) -> None:
        """Forget the series without a line in any hour, once they are most of those known: templates come and go."""
        used = np.unique(np.concatenate([hour.numbers for hour in self._hours.values()] or [np.zeros(0, np.int64)]))
        if 2 * len(used) >= len(self._numbers):
            return
        names = list(self._numbers)
        self._numbers = {names[number]: place for place, number in enumerate(used.tolist())}
        self._hours = {
            start: _Hour(np.searchsorted(used, hour.numbers), hour.line_count) for start, hour in self._hours.items()
        }

    def _lines_in(self, hour: float) -> int:
        known = self._hours.get(hour)
        return 0 if known is None else int(known.line_count.sum())

    def _read(self, store: TelemetryStore, starts: Sequence[float]) -> None:
        for first in range(0, len(starts), HOURS_PER_QUERY):
            some = starts[first : first + HOURS_PER_QUERY]
            for start, levels in zip(some, store.log_hours(some), strict=True):
                self._hours.pop(start, None)
                self._hours[start] = self._remembered(_watched(levels))

    def _remembered(self, levels: LogLevels) -> _Hour:
        numbers = [self._numbers.setdefault(name, len(self._numbers)) for name in levels.names]
        return _Hour(np.array(numbers, dtype=np.int64), levels.line_count.astype(np.uint32))

    def _windows_with_as_many(self, heard: LogLevels, before: float) -> Integers:
        """Return (series,): how many windows that ended by `before` had at least as many lines as each has now."""
        numbers = np.array([self._numbers.setdefault(name, len(self._numbers)) for name in heard.names])
        now = np.full(len(self._numbers), np.iinfo(np.uint32).max, dtype=np.uint32)
        now[numbers] = heard.line_count[:, 0]
        found = np.zeros(len(self._numbers), dtype=np.int64)
        for start, hour in self._hours.items():
            ended = int(np.clip((before - start) // LOG_WINDOW_SECONDS, 0, hour.line_count.shape[1]))
            as_much = hour.line_count[:, :ended] >= now[hour.numbers][:, None]
            found[hour.numbers] += as_much.sum(axis=1)
        return np.asarray(found[numbers])


def _watched(levels: LogLevels) -> LogLevels:
    """Keep the templates and patterns; drop the totals per severity and the series of all other lines."""
    kept = [place for place, name in enumerate(levels.names) if name.kind != LOG_SEVERITY and name.name != LOG_OTHER]
    return LogLevels([levels.names[place] for place in kept], levels.line_count[kept])
