"""The list of all watches."""

from __future__ import annotations

from detection.types import Metric
from workers.watching import alerts, endpoints, funnels, logs, metrics
from workers.watching.watch import Watch

WATCHES: tuple[Watch, ...] = (endpoints.WATCH, funnels.WATCH, logs.WATCH, metrics.WATCH, alerts.WATCH)


def watch_of(metric: Metric) -> Watch:
    """Return the watch that measures this metric; every metric has one."""
    return next(watch for watch in WATCHES if metric in watch.metrics)
