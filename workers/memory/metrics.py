"""Which custom metrics deserve to be read in full this minute: a brief memory of every series' hours and minutes.

Nearly every metric is well at nearly every tick. Of each past hour and of the last minutes only the mean of a series is
kept; once an hour the level usual now is fitted to the hours, for all series at once. A series whose newest minutes are
not all apart from that by the least that can be a finding is not read.
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

Key = tuple[str, str, str]
"""service, name, attributes."""

_MINUTES = 30
_READ_AGAIN = 3
"""Minutes read again at each look, for points that came late."""

_HOURS_AT_ONCE = 36
"""A process that has just begun learns the past piece by piece, the newest first, so that no tick takes long."""

_FIT_SECONDS = 600.0
_MARGIN = 0.95
"""The memory's levels are rounded, and up to ten minutes old."""

_Row = np.ndarray[tuple[int], np.dtype[np.float32]]
_Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class _Fit:
    """What is usual in one hour of the week, by the series' numbers; series that are newer are not in it."""

    hour: float
    fitted_at: float
    hours_known: int
    usual: LevelBaseline


class MetricMemory:
    """The past of every custom metric in brief; one a process, and one tick at a time uses it."""

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
        """The series that may have left their usual level, the farthest first, at most `most`; once a minute.

        broken: fingerprints of what is or was an incident; those are looked at in full, without the incident's time.
        """
        with self._one_at_a_time:
            minute = now // FINE_METRIC_SECONDS * FINE_METRIC_SECONDS
            if minute == self._judged:
                return []
            self._catch_up(store, minute, options)
            self._judged = minute
            keys = list(self._numbers)
            apart = self._apart(now, options)
            order = np.argsort(-apart, kind="stable")[:most]
            found = [keys[row] for row in order.tolist() if apart[row] >= _MARGIN]
            return [*found, *(key for key in self._broken(broken) if key not in set(found))]

    def worth_forecasting(
        self, limits: Sequence[MetricLimit], *, now: float, every_seconds: float, most: int
    ) -> list[MetricLimit]:
        """The next `most` limits that their series may reach; all of them within `every_seconds`, nearest first.

        Call after `unusual`, which learns of the series.
        """
        with self._one_at_a_time:
            if not self._waiting and (self._forecast_at is None or now - self._forecast_at >= every_seconds):
                self._waiting = self._within_reach(limits, now)
                self._forecast_at = now
            taken, self._waiting = self._waiting[:most], self._waiting[most:]
            return taken

    def keys(self) -> list[Key]:
        """Every series known."""
        return list(self._numbers)

    def _catch_up(self, store: TelemetryStore, minute: float, options: MetricOptions) -> None:
        newest = minute // COARSE_SECONDS * COARSE_SECONDS
        count = math.ceil(options.baseline_window_hours) + 1
        wanted = [newest - number * COARSE_SECONDS for number in range(count)]
        for gone in self._hours.keys() - set(wanted):
            del self._hours[gone]
        # A dict keeps its order of insertion, and what is read is put at its end: late points are known in time.
        longest_ago = next(iter(self._hours), newest)
        unknown = [hour for hour in wanted if hour not in self._hours][:_HOURS_AT_ONCE]
        missing = {newest, newest - COARSE_SECONDS, longest_ago, *unknown}
        for stretch in _stretches(sorted(missing)):
            self._read(store, self._hours, COARSE_SECONDS, stretch)
        oldest = minute - _MINUTES * FINE_METRIC_SECONDS
        for gone in [start for start in self._minutes if start < oldest]:
            del self._minutes[gone]
        known = max(self._minutes, default=oldest) - (_READ_AGAIN - 1) * FINE_METRIC_SECONDS
        since = max(oldest, min(known, minute - _READ_AGAIN * FINE_METRIC_SECONDS))
        starts = np.arange(since, minute, FINE_METRIC_SECONDS).tolist()
        self._read(store, self._minutes, FINE_METRIC_SECONDS, starts)

    def _read(
        self, store: TelemetryStore, into: dict[float, _Row], bucket_seconds: int, starts: Sequence[float]
    ) -> None:
        """Read buckets that follow on one another, oldest first."""
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
        """(series, starts) means; NaN where there is none."""
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

    def _apart(self, now: float, options: MetricOptions) -> Floats:
        """(series,): how far the nearest of the newest minutes is from usual, 1 being the least that strikes."""
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
        """Those that are near enough, by what the series did in as long a time as the forecast looks ahead."""
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


def _stretches(hours: Sequence[float]) -> list[list[float]]:
    """The hours, oldest first, cut where one is left out."""
    found: list[list[float]] = []
    for hour in hours:
        if found and hour - found[-1][-1] <= COARSE_SECONDS:
            found[-1].append(hour)
        else:
            found.append([hour])
    return found
