"""The list of all watches."""

from __future__ import annotations

from datetime import datetime

from detection.recovery import Recovery
from detection.types import Finding, Metric
from workers.services import Services
from workers.watching import alerts, endpoints, funnels, logs, metrics
from workers.watching.watch import Watch

WATCHES: tuple[Watch, ...] = (endpoints.WATCH, funnels.WATCH, logs.WATCH, metrics.WATCH, alerts.WATCH)


def recovery_now(services: Services, finding: Finding, since: datetime, now: datetime) -> Recovery:
    """Test the finding again on the data from `since` to the time until which its kind of data is whole."""
    watch, at = watch_of(finding.metric), now.timestamp()
    return watch.recovery(services, finding, since.timestamp(), watch.whole(services.telemetry.whole_until(now=at), at))


def watch_of(metric: Metric) -> Watch:
    """Return the watch that measures this metric; every metric has one."""
    return next(watch for watch in WATCHES if metric in watch.metrics)
