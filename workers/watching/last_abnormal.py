"""When a flapping signal was last abnormal.

Detectors learn that an endpoint flaps, and stop reporting it.
"""

from __future__ import annotations

from collections.abc import Sequence

from detection.metrics.forecasts import FORECAST_DETECTOR
from detection.types import Finding, Metric
from integrations.charts import Point
from workers.services import Services
from workers.watching.catalogue import watch_of

FEWEST_POINTS = 3
"""Points needed: one or two may be chance."""

UNFINISHED_SECONDS = 30.0
"""The newest point is not complete yet."""

_TOO_NOISY = (Metric.CONVERSION_RATE, Metric.ALERT)


def last_abnormal(services: Services, finding: Finding, *, usual: float, since: float, until: float) -> float | None:
    """Return when the signal was last at least halfway to its worst value, in seconds UTC; None if it was not.

    None for a funnel, whose single points are too noisy: its entries are tested all together. None for an alert, which
    has no points, and for a forecast.
    """
    if finding.metric in _TOO_NOISY or finding.detector == FORECAST_DETECTOR:
        return None
    points = watch_of(finding.metric).points(services, finding, since, until - UNFINISHED_SECONDS)
    return last_beyond_halfway([point for point in points if point.at >= since], usual=usual, worst=finding.observed)


def last_beyond_halfway(points: Sequence[Point], *, usual: float, worst: float) -> float | None:
    """Return the last time at which the points were at least halfway from `usual` to `worst`.

    None if fewer than FEWEST_POINTS were.
    """
    if worst == usual:
        return None
    beyond = [
        point.at for point in points if point.value is not None and (point.value - usual) / (worst - usual) >= 0.5
    ]
    return beyond[-1] if len(beyond) >= FEWEST_POINTS else None
