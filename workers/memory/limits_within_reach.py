"""Choose the limits that their metrics may reach, so that only these are forecast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.metrics.forecasts import MetricLimit, is_within_reach
from detection.statistics.baselines import HOUR_SECONDS
from workers.memory.metric_buckets import MetricBuckets


class LimitsWithinReach:
    """The limits that wait for their forecast: a round of all that may be reached, a few at each call."""

    def __init__(self) -> None:
        self._waiting: list[MetricLimit] = []
        self._began_at: float | None = None

    def take(
        self, buckets: MetricBuckets, limits: Sequence[MetricLimit], *, now: float, every_seconds: float, most: int
    ) -> list[MetricLimit]:
        """Return the next `most` limits, the nearest first.

        A new round begins `every_seconds` after the last began at the earliest.
        """
        if not self._waiting and (self._began_at is None or now - self._began_at >= every_seconds):
            self._waiting = _within_reach(buckets, limits, now)
            self._began_at = now
        taken, self._waiting = self._waiting[:most], self._waiting[most:]
        return taken


def _within_reach(buckets: MetricBuckets, limits: Sequence[MetricLimit], now: float) -> list[MetricLimit]:
    """Return the limits that their series may reach, nearest first, by its range over as long as the horizon."""
    known = [limit for limit in limits if (limit.service, limit.name, limit.attributes) in buckets.numbers]
    if not known:
        return []
    rows = [buckets.numbers[limit.service, limit.name, limit.attributes] for limit in known]
    minutes = buckets.matrix(buckets.minutes, sorted(buckets.minutes))[rows]
    hours = buckets.matrix(buckets.hours, sorted(buckets.hours))[rows]
    past = now - np.array(sorted(buckets.hours))[None, :]
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
    near = heard & is_within_reach(lowest, highest, newest, threshold, above)
    room = np.where(above, threshold - newest, newest - threshold)
    return [known[place] for place in np.argsort(room, kind="stable").tolist() if near[place]]
