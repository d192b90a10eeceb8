"""Select the custom metrics to read in full at a minute, from a compact memory of every series' hours and minutes.

At most ticks nearly every metric is normal. Only a series' mean in each past hour and in the last minutes is kept. At
least every ten minutes the usual level is fitted to the hours, for all series at once. A series is read only if all its
newest minutes differ from that level by at least the smallest amount that can be a finding.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from detection.metrics.findings import MetricLimit, MetricOptions, metric_subject
from detection.metrics.standings import is_within_reach
from detection.statistics.baselines import HOUR_SECONDS, LevelBaseline, hours_of_week, level_baseline
from detection.types import Floats, Metric
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS, TelemetryStore
from workers.memory.other_data import changed_by_factor

Key = tuple[str, str, str]
"""service, name, attributes."""

_MINUTES = 30
_READ_AGAIN = 3
"""How many minutes are read again each time, for late points."""

_HOURS_AT_ONCE = 36
"""How many hours are read at most per tick: a new process learns the past step by step, the newest hours first."""

_FIT_SECONDS = 600.0
_MARGIN = 0.95
"""Margin for the memory's levels, which are rounded and up to ten minutes old."""

_Row = np.ndarray[tuple[int], np.dtype[np.float32]]
_Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class _Fit:
    """The baseline for one hour of the week, by series number. Series first seen after the fit are not in it."""

    hour: float
    fitted_at: float
    hours_known: int
    usual: LevelBaseline


class MetricMemory:
    """The compact memory of every custom metric. One per process; one tick at a time uses it."""

    def __init__(self) -> None:
        self._numbers: dict[Key, int] = {}
        self._hours: dict[float, _Row] = {}
        self._minutes: dict[float, _Row] = {}
        self._fit: _Fit | None = None
        self._judged: float | None = None
        self._waiting: list[MetricLimit] = []
        self._forecast_at: float | None = None
        self._one_at_a_time = threading.Lock()

    def unusual(
        self, store: TelemetryStore, *, now: float, options: MetricOptions, broken: Collection[str], most: int
    ) -> list[Key]:
        """Return at most `most` series that may have left their usual level, the farthest first; once a minute.

        broken: fingerprints of present and past incidents. Their series are returned too, beyond `most`: they must be
        read in full, without the incident's time.
        """
        with self._one_at_a_time:
            minute = now // FINE_METRIC_SECONDS * FINE_METRIC_SECONDS
            if minute == self._judged:
                return []
            self._update(store, minute, options)
            self._judged = minute
            keys = list(self._numbers)
            apart = self._distances(now, options)
            order = np.argsort(-apart, kind="stable")[:most]
            found = [keys[row] for row in order.tolist() if apart[row] >= _MARGIN]
            return [*found, *(key for key in self._broken(broken) if key not in set(found))]

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

    def _update(self, store: TelemetryStore, minute: float, options: MetricOptions) -> None:
        newest = minute // COARSE_SECONDS * COARSE_SECONDS
        count = math.ceil(options.baseline_window_hours) + 1
        wanted = [newest - number * COARSE_SECONDS for number in range(count)]
        for gone in self._hours.keys() - set(wanted):
            del self._hours[gone]
        # A dict keeps its insertion order, and each hour read goes to its end: the first was read longest ago.
        longest_ago = next(iter(self._hours), newest)
        unknown = [hour for hour in wanted if hour not in self._hours][:_HOURS_AT_ONCE]
        missing = {newest, newest - COARSE_SECONDS, longest_ago, *unknown}
        before = self._series_in(longest_ago)
        for stretch in _consecutive_runs(sorted(missing)):
            self._read(store, self._hours, COARSE_SECONDS, stretch)
        if longest_ago < newest - COARSE_SECONDS and changed_by_factor(before, self._series_in(longest_ago)):
            # Other data has arrived, such as an import: read the older hours again, a few at each minute.
            self._hours = {hour: row for hour, row in self._hours.items() if hour in missing}
        oldest = minute - _MINUTES * FINE_METRIC_SECONDS
        for gone in [start for start in self._minutes if start < oldest]:
            del self._minutes[gone]
        known = max(self._minutes, default=oldest) - (_READ_AGAIN - 1) * FINE_METRIC_SECONDS
        since = max(oldest, min(known, minute - _READ_AGAIN * FINE_METRIC_SECONDS))
        starts = np.arange(since, minute, FINE_METRIC_SECONDS).tolist()
        self._read(store, self._minutes, FINE_METRIC_SECONDS, starts)
        self._forget_unused()

    def _forget_unused(self) -> None:
        """Forget the series without a value in any bucket, once they are most of those known: they come and go."""
        used = np.zeros(len(self._numbers), dtype=bool)
        for row in (*self._hours.values(), *self._minutes.values()):
            used[: len(row)] |= ~np.isnan(row)
        if 2 * int(used.sum()) >= len(used):
            return
        kept, names = np.flatnonzero(used), list(self._numbers)
        self._numbers = {names[number]: place for place, number in enumerate(kept.tolist())}
        self._hours = {start: row[kept[kept < len(row)]] for start, row in self._hours.items()}
        self._minutes = {start: row[kept[kept < len(row)]] for start, row in self._minutes.items()}
        self._fit = None

    def _series_in(self, hour: float) -> int:
        row = self._hours.get(hour)
        return 0 if row is None else int((~np.isnan(row)).sum())

    def _read(
        self, store: TelemetryStore, into: dict[float, _Row], bucket_seconds: int, starts: Sequence[float]
    ) -> None:
        """Read consecutive buckets, oldest first."""
        levels = store.metric_levels(since=starts[0], until=starts[-1] + bucket_seconds, bucket_seconds=bucket_seconds)
        numbers = np.array(
            [self._numbers.setdefault(name, len(self._numbers)) for name in levels.names], dtype=np.int64
        )
        ends = np.searchsorted(levels.bucket_starts, starts, side="right")
        begins = np.searchsorted(levels.bucket_starts, starts, side="left")
        for start, begin, end in zip(starts, begins, ends, strict=True):
            row = np.full(len(self._numbers), np.nan, dtype=np.float32)
            row[numbers[levels.rows[begin:end]]] = levels.means[begin:end]
            into.pop(start, None)
            into[start] = row

    def _matrix(self, held: dict[float, _Row], starts: Sequence[float]) -> Floats:
        """Return the means, (series, starts); NaN where there is none."""
        matrix = np.full((len(starts), len(self._numbers)), np.nan)
        for place, start in enumerate(starts):
            row = held.get(start)
            if row is not None:
                matrix[place, : len(row)] = row
        return matrix.T

    def _usual(self, now: float, options: MetricOptions) -> LevelBaseline:
        hour = now // HOUR_SECONDS
        fit = self._fit
        known = len(self._hours)
        if fit is None or (fit.hour, fit.hours_known) != (hour, known) or now - fit.fitted_at >= _FIT_SECONDS:
            last = now - options.recent_window_minutes * 60 - HOUR_SECONDS
            starts = [start for start in sorted(self._hours) if start <= last]
            levels = self._matrix(self._hours, starts)
            weekly = hours_of_week(np.array([*starts, now]), options.timezone)
            usual = level_baseline(levels, ~np.isnan(levels), weekly[:-1], int(weekly[-1]))
            fit = self._fit = _Fit(hour, now, known, usual)
        return fit.usual

    def _distances(self, now: float, options: MetricOptions) -> Floats:
        """Return (series,): how far the newest minutes are from usual, by the nearest; 1 is the least that strikes."""
        apart = np.zeros(len(self._numbers))
        usual = self._usual(now, options)
        size = len(usual.level)
        if not size:
            return apart
        newest_first = self._matrix(self._minutes, sorted(self._minutes, reverse=True))[:size]
        known = ~np.isnan(newest_first)
        run = known & (np.cumsum(known, axis=1) <= options.consecutive_strikes)
        lowest = np.where(run, newest_first, np.inf).min(axis=1, initial=np.inf)
        highest = np.where(run, newest_first, -np.inf).max(axis=1, initial=-np.inf)
        reach = np.maximum(options.anomaly_threshold * usual.spread, options.minimum_change * np.abs(usual.level))
        distance = np.maximum(lowest - usual.level, usual.level - highest)
        judged = run.any(axis=1) & (usual.hours >= options.minimum_baseline_hours)
        apart[:size] = np.where(judged, distance / np.maximum(reach, 1e-12), 0.0)
        return np.nan_to_num(apart, nan=0.0, posinf=np.finfo(np.float64).max)

    def _broken(self, fingerprints: Collection[str]) -> list[Key]:
        mine = {fingerprint for fingerprint in fingerprints if fingerprint.startswith(f"{Metric.CUSTOM}:")}
        if not mine:
            return []
        return [key for key in self._numbers if f"{Metric.CUSTOM}:{metric_subject(*key).key()}" in mine]

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


def _consecutive_runs(hours: Sequence[float]) -> list[list[float]]:
    """Split the hours, oldest first, into runs of consecutive ones."""
    found: list[list[float]] = []
    for hour in hours:
        if found and hour - found[-1][-1] <= COARSE_SECONDS:
            found[-1].append(hour)
        else:
            found.append([hour])
    return found
