"""What would have been found in a metric's own past: the production detector, asked every minute of it.

Only the minutes that may be a finding are looked at in full: those whose newest buckets are far enough from what the
hours alone say is usual. How the minutes scatter can only make the detector slower to speak.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from bot.backtest.buckets import SERVICE, Buckets, buckets_of
from bot.backtest.chart import Course
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
from workers.watching.metrics import FINE_SECONDS, limit_in, without

Progress = Callable[[float], None]
"""Told the share of the work that is done."""

_QUARTER = 900.0
"""Local hours begin at quarters of an hour of UTC everywhere."""


@dataclass(frozen=True, slots=True)
class MetricReplay:
    """The incidents, oldest first; in how many of the minutes the level could be judged; and what the chart shows."""

    incidents: tuple[ReplayedIncident, ...]
    judged: int
    minutes: int
    course: Course


def replay(history: History, name: str, settings: Settings, progress: Progress = lambda share: None) -> MetricReplay:
    """Ask the detector at every minute. name: the metric's, which may promise a limit of its own."""
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
        looks = _Looks.of(minutes, self._options)
        for first, last in _alike(looks.moments, self._options):
            self._stretch(looks, first, last)
            progress(last / len(looks.moments))
        course = Course(minutes.bucket_starts, minutes.means, self._low, self._high, self._fired)
        return MetricReplay(tuple(self._incidents.all), self._judged, len(looks.moments), course)

    def _stretch(self, looks: _Looks, first: int, last: int) -> None:
        """The moments for which the same hours say what is usual."""
        began = float(looks.moments[first])
        baseline = self._baseline(began, self._incidents.past(began))
        [usual] = hourly_levels([baseline], began, self._options)
        stretch = slice(first, last)
        worth = np.zeros(last - first, dtype=bool)
        if usual.hours >= self._options.minimum_baseline_hours:
            self._judged += int(looks.complete[stretch].sum())
            self._expect(looks.newest[stretch], usual)
            worth = looks.complete[stretch] & looks.beyond(stretch, usual, self._options)
        if not worth.any() and self._incidents.open is None and self._limit is None:
            return
        for place in range(first, last):
            now = float(looks.moments[place])
            found = self._level(now, usual, baseline) if worth[place - first] else []
            if self._limit is not None:
                found += self._limit.found(now)
            if self._incidents.take(found, now):
                self._fired[looks.newest[place]] = True
            self._incidents.settle(now)

    def _expect(self, rows: Integers, usual: UsualLevel) -> None:
        reach = usual.reach(self._options)
        self._low[rows], self._high[rows] = usual.level - reach, usual.level + reach

    def _level(self, now: float, usual: UsualLevel, baseline: MetricSeries) -> list[Finding]:
        fine, options = self._buckets.fine(now), self._options
        if not is_unusual(fine, with_scatter(usual, fine, now, options), baseline, now, options):
            return []
        if self._incidents.still(self._fingerprint, now):
            return []
        return metric_findings([fine], [baseline], now=now, options=options)

    def _baseline(self, now: float, past: list[PastIncident]) -> MetricSeries:
        since = now - (self._options.baseline_window_hours + 1) * HOUR_SECONDS
        return without(self._buckets.hourly(now, since=since), past, now)

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
class _Looks:
    """The moments (n,) at which the detector looks, each with the number of the newest minute bucket.

    complete: whether the metric was fresh, with enough buckets. lowest, highest: of the newest buckets, each (n,).
    """

    moments: Floats
    newest: Integers
    complete: Mask
    lowest: Floats
    highest: Floats

    @classmethod
    def of(cls, minutes: MetricSeries, options: MetricOptions) -> _Looks:
        """Every minute in which something had lately been heard."""
        starts, strikes = minutes.bucket_starts, options.consecutive_strikes
        until = starts[-1] + FINE_METRIC_SECONDS
        gaps = np.minimum(np.diff(starts, append=until), options.stale_seconds + FINE_METRIC_SECONDS)
        looks = (gaps // FINE_METRIC_SECONDS).astype(np.int64)
        newest = np.repeat(np.arange(len(starts)), looks)
        step = np.arange(len(newest)) - np.repeat(np.cumsum(looks) - looks, looks)
        moments = starts[newest] + (step + 1) * FINE_METRIC_SECONDS
        oldest = newest - strikes + 1
        fresh = moments - starts[newest] <= options.stale_seconds
        complete = fresh & (oldest >= 0) & (starts[np.maximum(oldest, 0)] >= moments - FINE_SECONDS)
        lowest, highest = (_of_runs(minutes.means, strikes, pick)[newest] for pick in (np.min, np.max))
        return cls(moments, newest, complete, lowest, highest)

    def beyond(self, stretch: slice, usual: UsualLevel, options: MetricOptions) -> Mask:
        """Whether all of the newest buckets are on one side, beyond the reach."""
        reach = usual.reach(options)
        return (self.lowest[stretch] - usual.level >= reach) | (usual.level - self.highest[stretch] >= reach)


def _of_runs(values: Floats, length: int, pick: Callable[..., Floats]) -> Floats:
    """(n,): over each value and those before it, `length` in all; of the first ones, which have fewer, nothing."""
    found = np.full(len(values), np.nan)
    if len(values) >= length:
        found[length - 1 :] = pick(sliding_window_view(values, length), axis=1)
    return found


def _alike(moments: Floats, options: MetricOptions) -> Iterator[tuple[int, int]]:
    """(first, last) of each stretch of moments that have the same hours behind them and the same hour of the week."""
    quarters, place = np.unique(moments // _QUARTER * _QUARTER, return_inverse=True)
    begins = (moments - options.baseline_window_hours * HOUR_SECONDS) // HOUR_SECONDS
    ends = np.ceil((moments - options.recent_window_minutes * 60 - HOUR_SECONDS + 1) / HOUR_SECONDS)
    known = np.stack([begins, ends, moments // HOUR_SECONDS, hours_of_week(quarters, options.timezone)[place]])
    changes = np.flatnonzero((np.diff(known, axis=1) != 0).any(axis=0)) + 1
    edges = [0, *changes.tolist(), len(moments)]
    yield from pairwise(edges)
