"""Roll up a metric's history into minute and hour buckets, and return those known at any moment of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from detection.types import Floats, MetricSeries
from storage.telemetry.metrics.expiry import UNSEEN_SECONDS
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS, METRIC_MINUTES_KEPT_SECONDS
from workers.watching.metrics import OWN_POINTS

SERVICE = "history"
"""The service of the whole file, so that simultaneous findings form one incident."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """The rolled-up history. The methods return only what was stored at the moment `now`.

    forgotten_at: (n,) times, oldest first. At each one the data before it is dropped, because the metric was silent for
    UNSEEN_SECONDS.
    """

    minutes: MetricSeries
    hours: MetricSeries
    forgotten_at: Floats

    def fine(self, now: float, *, since: float = 0.0) -> MetricSeries:
        """Return the complete minutes that were stored at `now`."""
        minute = now // FINE_METRIC_SECONDS * FINE_METRIC_SECONDS
        return _slice(self.minutes, max(since, minute - METRIC_MINUTES_KEPT_SECONDS, self._known_since(now)), minute)

    def between(self, since: float, until: float, bucket_seconds: int) -> MetricSeries:
        """Return the minutes, or the hours, that begin in [since, until)."""
        return _slice(self.minutes if bucket_seconds == FINE_METRIC_SECONDS else self.hours, since, until)

    def own_points(self, now: float, step: float) -> MetricSeries:
        """Return the newest points that were stored at `now`, in their own grain of `step` seconds."""
        if step < COARSE_SECONDS / 2:
            return self.fine(now)
        return _slice(self.hours, max(now - OWN_POINTS * step, self._known_since(now)), now)

    def hourly(self, now: float, *, since: float, until: float = np.inf) -> MetricSeries:
        """Return the complete hours that were stored at `now` and begin in [since, until)."""
        return _slice(self.hours, max(since, self._known_since(now)), min(now - COARSE_SECONDS + 1, until))

    def _known_since(self, now: float) -> float:
        place = int(np.searchsorted(self.forgotten_at, now, side="right"))
        return float(self.forgotten_at[place - 1]) if place else 0.0


def buckets_of(times: Floats, values: Floats, name: str) -> Buckets:
    """Roll up a metric's points. times, values: (n,) each, oldest first."""
    minutes = _roll_up(times, values, FINE_METRIC_SECONDS, name)
    silent = np.diff(minutes.bucket_starts) >= UNSEEN_SECONDS
    hour = minutes.bucket_starts[1:][silent] // COARSE_SECONDS * COARSE_SECONDS
    return Buckets(minutes, _roll_up(times, values, COARSE_SECONDS, name), hour)


def _roll_up(times: Floats, values: Floats, width: float, name: str) -> MetricSeries:
    starts, first, counts = np.unique(times // width * width, return_index=True, return_counts=True)
    return MetricSeries(
        name=name,
        service=SERVICE,
        bucket_starts=starts,
        means=np.add.reduceat(values, first) / counts,
        counts=counts.astype(np.int64),
        lows=np.minimum.reduceat(values, first),
        highs=np.maximum.reduceat(values, first),
    )


def _slice(series: MetricSeries, since: float, until: float) -> MetricSeries:
    first, last = np.searchsorted(series.bucket_starts, [since, until])
    assert series.lows is not None
    assert series.highs is not None
    return replace(
        series,
        bucket_starts=series.bucket_starts[first:last],
        means=series.means[first:last],
        counts=series.counts[first:last],
        lows=series.lows[first:last],
        highs=series.highs[first:last],
    )
