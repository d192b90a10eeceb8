"""Replay a metric's history through the watch that production runs, point by point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.backtest.buckets import SERVICE, Buckets, buckets_of
from bot.backtest.chart import MOST_POINTS, ChartData
from bot.backtest.csv_history import History
from bot.backtest.incidents import ReplayedIncident, ReplayedIncidents
from bot.backtest.limits import LimitReplay, built_in_limit
from detection.metrics.findings import level_finding
from detection.metrics.forecasts import FORECAST_DETECTOR, limit_recovery
from detection.metrics.recovery import level_recovery
from detection.metrics.series import is_fresh
from detection.recovery import RecoveryState
from detection.types import Finding, LevelDetails
from storage.telemetry.protocol import FINE_METRIC_SECONDS, MetricLevels
from workers.memory.metric_buckets import Key
from workers.memory.metrics import MetricMemory
from workers.options import metric_options
from workers.settings import Settings
from workers.watching.metrics import limit_in, usual_values

Progress = Callable[[float], None]
"""Called with the share of the work that is done."""


@dataclass(frozen=True, slots=True)
class MetricReplay:
    """The result of a replay.

    incidents: oldest first. judged: how many of the `points` could be judged.
    """

    incidents: tuple[ReplayedIncident, ...]
    judged: int
    points: int
    chart_data: ChartData


def replay(history: History, name: str, settings: Settings, progress: Progress = lambda share: None) -> MetricReplay:
    """Replay a metric's history. name: the metric's name, which may have a built-in limit."""
    return _Replay(buckets_of(history.times, history.values, name), name, settings).run(progress)


class _History:
    """A replayed history as the watch reads a store; what the watch remembers need not be stored."""

    def __init__(self, buckets: Buckets, key: Key) -> None:
        self._buckets, self._key = buckets, key

    def metric_levels(self, *, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        """Return all buckets in brief, ordered by time."""
        held = self._buckets.between(since, until, bucket_seconds)
        assert held.lows is not None
        assert held.highs is not None
        rows = np.zeros(len(held.bucket_starts), dtype=np.int64)
        return MetricLevels([self._key], rows, held.bucket_starts, held.means, held.lows, held.highs)

    def metric_memories(self, series: Sequence[Key]) -> Mapping[Key, bytes]:
        """Return nothing: each replay begins without a memory."""
        return {}

    def keep_metric_memories(self, memories: Mapping[Key, bytes]) -> None:
        """Store nothing."""


class _Replay:
    def __init__(self, buckets: Buckets, name: str, settings: Settings) -> None:
        self._buckets, self._options = buckets, metric_options(settings)
        self._key: Key = (SERVICE, name, "")
        self._store, self._memory = _History(buckets, self._key), MetricMemory()
        limit = built_in_limit(name)
        self._limit = None if limit is None else LimitReplay(buckets, limit, self._options)
        self._incidents = ReplayedIncidents(settings, self._retest)

    def run(self, progress: Progress) -> MetricReplay:
        minutes = self._buckets.minutes
        count = len(minutes.bucket_starts)
        low, high, fired = np.full(count, np.nan), np.full(count, np.nan), np.zeros(count, dtype=bool)
        judged, shown_every = 0, max(count // MOST_POINTS, 1)
        for place, start in enumerate(minutes.bucket_starts.tolist()):
            now = start + FINE_METRIC_SECONDS
            fired[place] = self._incidents.add_findings(self._findings(now), now)
            self._incidents.resolve_if_recovered(now)
            judged += self._memory.is_judged(self._key)
            if place % shown_every == 0:
                low[place], high[place] = self._memory.usual_range(self._key)
                progress(place / count)
        chart_data = ChartData(minutes.bucket_starts, minutes.means, low, high, fired)
        return MetricReplay(tuple(self._incidents.all), judged, count, chart_data)

    def _findings(self, now: float) -> list[Finding]:
        departed = self._memory.departures(self._store, now=now, options=self._options, past=self._incidents.past(now))
        found = [
            level_finding(self._buckets.own_points(now, departure.step_seconds), departure, now=now)
            for _, departure in departed
        ]
        return found + (self._limit.findings(now) if self._limit is not None else [])

    def _retest(self, finding: Finding, since: float, now: float) -> RecoveryState:
        options, details = self._options, finding.details
        points = self._buckets.own_points(now, details.step_seconds if isinstance(details, LevelDetails) else 0.0)
        fresh = [points] if is_fresh(points, now, options) else []
        if finding.detector == FORECAST_DETECTOR:
            random = np.random.default_rng(int(now))
            return limit_recovery(finding, fresh, limit_in(finding), since=since, options=options, random=random).state
        usual = usual_values(
            finding,
            [self._buckets.hourly(now, since=0.0)],
            points.bucket_starts,
            self._incidents.past(now),
            normal_since=self._memory.normal_since(self._key),
            now=now,
            timezone=options.timezone,
        )
        return level_recovery(finding, fresh, usual, since=since, now=now).state
