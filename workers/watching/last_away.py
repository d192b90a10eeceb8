"""Whether a signal kept calm: detectors take what comes and goes for an endpoint's own way, and do not say it again."""

from __future__ import annotations

from collections.abc import Sequence

from detection.metrics.findings import FORECAST_DETECTOR
from detection.types import Finding, Metric
from integrations.charts import Point
from workers.services import Services
from workers.watching.catalogue import watch_of

FEWEST_POINTS = 3
"""One or two points may be chance."""

UNFINISHED_SECONDS = 30.0
"""The newest point is still being counted."""

_TOO_NOISY = (Metric.CONVERSION_RATE, Metric.ALERT)


def last_away(services: Services, finding: Finding, *, usual: float, since: float, until: float) -> float | None:
    """When the signal was last halfway to its worst again, seconds UTC; None where it kept calm.

    Single points of a funnel are too noisy to say; its entries are tested all together. An alert has none.
    """
    if finding.metric in _TOO_NOISY or finding.detector == FORECAST_DETECTOR:
        return None
    points = watch_of(finding.metric).points(services, finding, since, until - UNFINISHED_SECONDS)
    return last_halfway([point for point in points if point.at >= since], usual=usual, worst=finding.observed)


def last_halfway(points: Sequence[Point], *, usual: float, worst: float) -> float | None:
    """When the points were last at least halfway from `usual` to `worst`; None where hardly any were."""
    if worst == usual:
        return None
    away = [point.at for point in points if point.value is not None and (point.value - usual) / (worst - usual) >= 0.5]
    return away[-1] if len(away) >= FEWEST_POINTS else None
