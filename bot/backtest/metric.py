"""Replay a metric's history through the production detector, minute by minute.

The full detector runs only at minutes that may yield a finding: those whose newest buckets are far enough from what is
usual by the hourly buckets. The scatter of the minutes, which this check leaves out, can only widen the usual range.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bot.backtest.buckets import SERVICE, Buckets, buckets_of
from bot.backtest.chart import ChartData
from bot.backtest.csv_history import History
from bot.backtest.incidents import ReplayedIncident, ReplayedIncidents
from bot.backtest.limits import LimitReplay, built_in_limit
from detection.metrics.findings import (
    FORECAST_DETECTOR,
    MetricOptions,
    UsualLevel,
    hourly_levels,
    is_fresh,
    is_unusual,
    metric_findings,
    metric_subject,
    with_scatter,
)
from detection.metrics.standings import level_recovery, limit_recovery
from detection.recovery import RecoveryState
from detection.statistics.baselines import HOUR_SECONDS, Mask, hours_of_week
from detection.types import Finding, Floats, Integers, Metric, MetricSeries
from storage.telemetry.protocol import FINE_METRIC_SECONDS
from workers.memory.broken_times import PastIncident
from workers.options import metric_options
from workers.settings import Settings
from workers.watching.metrics import FINE_SECONDS, limit_in, without_broken_hours

Progress = Callable[[float], None]
"""Called with the share of the work that is done."""

_QUARTER_HOUR = 900.0
"""Seconds. In every time zone, local hours begin at a quarter of an hour of UTC."""


@dataclass(frozen=True, slots=True)
class MetricReplay:
    """The result of a replay.

    incidents: oldest first. judged: in how many of the `minutes` the level could be judged.
    """

    incidents: tuple[ReplayedIncident, ...]
    judged: int
    minutes: int
    chart_data: ChartData


def replay(history: History, name: str, settings: Settings, progress: Progress = lambda share: None) -> MetricReplay:
    """Replay a metric's history. name: the metric's name, which may have a built-in limit."""
    return _Replay(buckets_of(history.times, history.values, name), name, settings).run(progress)


class _Replay:
    def __init__(self, buckets: Buckets, name: str, settings: Settings) -> None:
        self._buckets, self._options = buckets, metric_options(settings)
        self._fingerprint = f"{Metric.CUSTOM}:{metric_subject(SERVICE, name, '').key()}"
        limit = built_in_limit(name)
        self._limit = None if limit is None else LimitReplay(buckets, limit, self._options)
        self._incidents = ReplayedIncidents(settings, self._retest)
        count = len(buckets.minutes.means)
        self._low, self._high = np.full(count, np.nan), np.full(count, np.nan)
        self._fired = np.zeros(count, dtype=bool)
        self._judged = 0

    def run(self, progress: Progress) -> MetricReplay:
        minutes = self._buckets.minutes
        checks = _Checks.of(minutes, self._options)
        for first, last in _same_baseline_runs(checks.times, self._options):
            self._replay_run(checks, first, last)
            progress(last / len(checks.times))
        chart_data = ChartData(minutes.bucket_starts, minutes.means, self._low, self._high, self._fired)
        return MetricReplay(tuple(self._incidents.all), self._judged, len(checks.times), chart_data)

    def _replay_run(self, checks: _Checks, first: int, last: int) -> None:
        """Replay the check times [first, last), which share one baseline."""
        start = float(checks.times[first])
        baseline = self._baseline(start, self._incidents.past(start))
        [usual] = hourly_levels([baseline], start, self._options)
        run = slice(first, last)
        needs_full_check = np.zeros(last - first, dtype=bool)
        if usual.hours >= self._options.minimum_baseline_hours:
            self._judged += int(checks.complete[run].sum())
            self._set_usual_range(checks.newest[run], usual)
            needs_full_check = checks.complete[run] & checks.beyond(run, usual, self._options)
        if not needs_full_check.any() and self._incidents.open is None and self._limit is None:
            return
        for place in range(first, last):
            now = float(checks.times[place])
            found = self._level_findings(now, usual, baseline) if needs_full_check[place - first] else []
            if self._limit is not None:
                found += self._limit.findings(now)
            if self._incidents.add_findings(found, now):
                self._fired[checks.newest[place]] = True
            self._incidents.resolve_if_recovered(now)

    def _set_usual_range(self, rows: Integers, usual: UsualLevel) -> None:
        reach = usual.reach(self._options)
        self._low[rows], self._high[rows] = usual.level - reach, usual.level + reach

    def _level_findings(self, now: float, usual: UsualLevel, baseline: MetricSeries) -> list[Finding]:
        fine, options = self._buckets.fine(now), self._options
        if not is_unusual(fine, with_scatter(usual, fine, now, options), baseline, now, options):
            return []
        if self._incidents.refresh(self._fingerprint, now):
            return []
        return metric_findings([fine], [baseline], now=now, options=options)

    def _baseline(self, now: float, past: list[PastIncident]) -> MetricSeries:
        since = now - (self._options.baseline_window_hours + 1) * HOUR_SECONDS
        return without_broken_hours(self._buckets.hourly(now, since=since), past, now)

    def _retest(self, finding: Finding, since: float, now: float) -> RecoveryState:
        fine, options = self._buckets.fine(now), self._options
        fresh = [fine] if is_fresh(fine, now, options) else []
        if finding.detector == FORECAST_DETECTOR:
            random = np.random.default_rng(int(now))
            return limit_recovery(finding, fresh, limit_in(finding), since=since, options=options, random=random).state
        broken = PastIncident(finding.onset_at, None, SERVICE, frozenset({finding.fingerprint}))
        before = [self._baseline(now, [broken])]
        return level_recovery(finding, fresh, before, since=since, now=now, options=options).state


@dataclass(frozen=True, slots=True)
class _Checks:
    """The times at which the detector runs, (n,) each.

    newest: the index of the newest minute bucket. complete: whether the metric was fresh and had enough buckets.
    lowest, highest: the extremes of the newest buckets.
    """

    times: Floats
    newest: Integers
    complete: Mask
    lowest: Floats
    highest: Floats

    @classmethod
    def of(cls, minutes: MetricSeries, options: MetricOptions) -> _Checks:
        """Return every minute at which a bucket had been received recently."""
        starts, strikes = minutes.bucket_starts, options.consecutive_strikes
        until = starts[-1] + FINE_METRIC_SECONDS
        gaps = np.minimum(np.diff(starts, append=until), options.stale_seconds + FINE_METRIC_SECONDS)
        checks = (gaps // FINE_METRIC_SECONDS).astype(np.int64)
        newest = np.repeat(np.arange(len(starts)), checks)
        step = np.arange(len(newest)) - np.repeat(np.cumsum(checks) - checks, checks)
        times = starts[newest] + (step + 1) * FINE_METRIC_SECONDS
        oldest = newest - strikes + 1
        fresh = times - starts[newest] <= options.stale_seconds
        complete = fresh & (oldest >= 0) & (starts[np.maximum(oldest, 0)] >= times - FINE_SECONDS)
        lowest, highest = (_rolling(minutes.means, strikes, pick)[newest] for pick in (np.min, np.max))
        return cls(times, newest, complete, lowest, highest)

    def beyond(self, run: slice, usual: UsualLevel, options: MetricOptions) -> Mask:
        """Return where all of the newest buckets lie outside the usual range on the same side."""
        reach = usual.reach(options)
        return (self.lowest[run] - usual.level >= reach) | (usual.level - self.highest[run] >= reach)


def _rolling(values: Floats, length: int, pick: Callable[..., Floats]) -> Floats:
    """Return `pick` over each rolling window of `length` values, (n,); NaN where the window is not full."""
    found = np.full(len(values), np.nan)
    if len(values) >= length:
        found[length - 1 :] = pick(sliding_window_view(values, length), axis=1)
    return found


def _same_baseline_runs(times: Floats, options: MetricOptions) -> Iterator[tuple[int, int]]:
    """Yield [first, last) of each run of times with the same baseline hours and the same hour of the week."""
    quarters, place = np.unique(times // _QUARTER_HOUR * _QUARTER_HOUR, return_inverse=True)
    begins = (times - options.baseline_window_hours * HOUR_SECONDS) // HOUR_SECONDS
    ends = np.ceil((times - options.recent_window_minutes * 60 - HOUR_SECONDS + 1) / HOUR_SECONDS)
    known = np.stack([begins, ends, times // HOUR_SECONDS, hours_of_week(quarters, options.timezone)[place]])
    changes = np.flatnonzero((np.diff(known, axis=1) != 0).any(axis=0)) + 1
    edges = [0, *changes.tolist(), len(times)]
    yield from pairwise(edges)
