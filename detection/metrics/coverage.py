"""Which custom metrics have enough data for the watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detection.coverage import Need, Watched, watched
from detection.metrics.series import STALE_STEPS, MetricOptions, metric_subject
from detection.metrics.stream import LEAST_POINTS

Key = tuple[str, str, str]
"""(service, name, attributes)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the watch has heard of a series: how many points, the last of them when, and the seconds between two."""

    points: int
    last_at: float
    step_seconds: float


def metric_states(heard: Mapping[Key, Heard], *, now: float, options: MetricOptions) -> list[Watched]:
    """Return for each series whether it can be judged, sorted by service and name."""
    found = []
    for key, one in sorted(heard.items()):
        stale_after = max(options.stale_seconds, STALE_STEPS * one.step_seconds)
        recent = int(now - one.last_at <= stale_after)
        needs = [
            Need(one.points, LEAST_POINTS, "measured points"),
            Need(recent, 1, "measured points", f"in the last {stale_after / 60:g} min"),
        ]
        found.append(watched(metric_subject(*key), needs))
    return found
