"""Replay the forecast of a built-in limit over a metric's history, as a worker would make it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.backtest.buckets import SERVICE, Buckets
from detection.metrics.forecasts import MetricLimit, forecast_findings, is_within_reach
from detection.metrics.series import MetricOptions
from detection.statistics.baselines import HOUR_SECONDS
from detection.types import Finding, MetricSeries
from workers.rules.metric_limits import BUILT_IN
from workers.watching.metrics import FORECAST_EVERY_SECONDS, fine_since, joined

_RECENT_SECONDS = 1800.0


def built_in_limit(name: str) -> MetricLimit | None:
    """Return the built-in limit of a metric of this name, or None."""
    known = next((limit for limit in BUILT_IN if limit.name == name), None)
    if known is None:
        return None
    return MetricLimit(name, SERVICE, known.threshold, horizon_seconds=known.horizon_hours * HOUR_SECONDS)


@dataclass(frozen=True, slots=True)
class LimitReplay:
    """The replay of one limit over a history."""

    buckets: Buckets
    limit: MetricLimit
    options: MetricOptions

    @property
    def horizon(self) -> float:
        """Return how far ahead a crossing is forecast, in seconds."""
        return self.limit.horizon_seconds or self.options.horizon_seconds

    def findings(self, now: float) -> list[Finding]:
        """Return the findings at `now`. A forecast is made every five minutes, and only if the limit may be near."""
        if now % FORECAST_EVERY_SECONDS or not self._may_be_near(now):
            return []
        past = self.buckets.hourly(now, since=now - (self.options.baseline_window_hours + 1) * HOUR_SECONDS)
        random = np.random.default_rng(int(now))
        return forecast_findings(
            self._history(now), [self.limit], now=now, options=self.options, random=random, baseline=[past]
        )

    def _may_be_near(self, now: float) -> bool:
        fine = self.buckets.fine(now, since=now - _RECENT_SECONDS)
        if not len(fine.means):
            return False
        hours = self.buckets.hourly(now, since=now - self.horizon - 2 * HOUR_SECONDS)
        both = np.concatenate([hours.means, fine.means])
        near = is_within_reach(
            both.min(keepdims=True),
            both.max(keepdims=True),
            fine.means[-1:],
            np.array([self.limit.threshold]),
            np.array([self.limit.above]),
        )
        return bool(near[0])

    def _history(self, now: float) -> list[MetricSeries]:
        minutes_since = fine_since(now - self.horizon, now)
        fine = self.buckets.fine(now, since=minutes_since)
        hours = self.buckets.hourly(now, since=now - self.horizon, until=minutes_since)
        return joined(*([one] if len(one.means) else [] for one in (fine, hours)))
