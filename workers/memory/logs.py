"""Which templates and patterns deserve to be read in full this tick: a memory of every series' past windows.

Nearly all are heard no more than now and then before, at nearly every tick. What the detector calls more than usual is
more than a series had in all but a few windows of the baseline, so one that had as much more often is not read.

Of the past hours only the newest, and the one looked at longest ago, are read again at a tick: late lines are known
within as many ticks as the baseline has hours.
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

HOURS_A_QUERY = 24


@dataclass(frozen=True, slots=True)
class Suspects:
    """Series that may give a finding, and how many were looked at."""

    names: Sequence[LogName]
    looked_at: int


@dataclass(frozen=True, slots=True)
class _Hour:
    """An hour of the series with these numbers (series,): lines (series, windows)."""

    numbers: Integers
    line_count: np.ndarray[tuple[int, int], np.dtype[np.uint32]]


class LogMemory:
    """The past windows of every template and pattern; one a process, and one tick at a time uses it."""

    def __init__(self) -> None:
        self._numbers: dict[LogName, int] = {}
        self._hours: dict[float, _Hour] = {}
        self._one_at_a_time = threading.Lock()

    def worth_reading(
        self, store: TelemetryStore, *, now: float, options: LogOptions, always: Collection[LogName] = ()
    ) -> Suspects:
        """The series that the detector may find something in; every one that it would is among them.

        always: series whose past is not all normal, so that their windows cannot speak for them.
        """
        until = window_end(now, options)
        with self._one_at_a_time:
            heard = _watched(store.log_totals(since=until - options.window_seconds, until=until))
            if not heard.names:
                return Suspects((), 0)
            self._catch_up(store, until, options)
            counts = heard.line_count[:, 0]
            are_patterns = np.array([name.kind == LOG_PATTERN for name in heard.names])
            enough = counts >= np.where(are_patterns, options.minimum_pattern_lines, options.minimum_new_lines)
            as_much = self._windows_with_as_much(heard, until - options.window_seconds)
            suspicious = enough & (as_much <= SPIKES_FORGIVEN)
            names = [name for name, is_one in zip(heard.names, suspicious, strict=True) if is_one or name in always]
            return Suspects(names, len(heard.names))

    def _catch_up(self, store: TelemetryStore, until: float, options: LogOptions) -> None:
        """Read hours not known yet, the newest, and the one that was read longest ago."""
        newest = until // COARSE_SECONDS * COARSE_SECONDS
        wanted = [newest - number * COARSE_SECONDS for number in range(options.baseline_days * 24 + 1)]
        for gone in self._hours.keys() - set(wanted):
            del self._hours[gone]
        # A dict keeps its order of insertion, and what is read is put at its end.
        longest_ago = next(iter(self._hours), newest)
        starts = sorted({newest, longest_ago, *(hour for hour in wanted if hour not in self._hours)})
        for first in range(0, len(starts), HOURS_A_QUERY):
            some = starts[first : first + HOURS_A_QUERY]
            for start, levels in zip(some, store.log_hours(some), strict=True):
                self._hours.pop(start, None)
                self._hours[start] = self._remembered(_watched(levels))

    def _remembered(self, levels: LogLevels) -> _Hour:
        numbers = [self._numbers.setdefault(name, len(self._numbers)) for name in levels.names]
        return _Hour(np.array(numbers, dtype=np.int64), levels.line_count.astype(np.uint32))

    def _windows_with_as_much(self, heard: LogLevels, before: float) -> Integers:
        """(names,): in how many windows that ended by `before` each series had as many lines as now, or more."""
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
    """Templates and patterns: how much is said at each severity is no news by itself, nor is the mixed rest."""
    kept = [place for place, name in enumerate(levels.names) if name.kind != LOG_SEVERITY and name.name != LOG_OTHER]
    return LogLevels([levels.names[place] for place in kept], levels.line_count[kept])
