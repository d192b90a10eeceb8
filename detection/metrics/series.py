"""What the watches of custom metrics share: a series' key and subject, its freshness, and the options."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.statistics.baselines import HOUR_SECONDS
from detection.types import MetricSeries, Subject

STALE_STEPS = 3
"""A metric is stale after this many of its own steps without a point, at the earliest after `stale_seconds`."""


@dataclass(frozen=True, slots=True)
class MetricOptions:
    """When a forecast makes a finding, and what counts as recent.

    A forecast makes a finding when the limit is crossed within the horizon with at least `minimum_probability`.
    """

    timezone: str = "UTC"
    baseline_window_hours: float = 168.0
    stale_seconds: float = 600.0
    horizon_seconds: float = 6 * HOUR_SECONDS
    minimum_probability: float = 0.8


def key_of(series: MetricSeries) -> tuple[str, str, str]:
    """Return the unique key of a series: (service, name, attributes)."""
    return series.service, series.name, series.attributes


def metric_subject(service: str, name: str, attributes: str) -> Subject:
    """Return the subject of findings about a series."""
    return Subject("metric", f"{name} ({attributes})" if attributes else name, service=service)


def is_fresh(series: MetricSeries, now: float, options: MetricOptions) -> bool:
    """Whether the metric has a point within the last `stale_seconds`, or within three of its own steps."""
    starts = series.bucket_starts
    if not len(starts):
        return False
    step = float(np.median(np.diff(starts[-30:]))) if len(starts) > 2 else 0.0
    return now - float(starts[-1]) <= max(options.stale_seconds, STALE_STEPS * step)
