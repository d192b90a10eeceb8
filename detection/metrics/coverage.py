"""Which custom metrics have enough data for the watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from detection.coverage import Need, Watched, watched
from detection.metrics.series import STALE_STEPS, MetricOptions, metric_subject
from detection.metrics.usual_course import KNOWN_AFTER_HOURS

Key = tuple[str, str, str]
"""(service, name, attributes)."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How long a series has been heard of, when it last was, and the usual seconds between two of its hours."""

    hours: float
    last_at: float
    step_seconds: float


def metric_states(heard: Mapping[Key, Heard], *, now: float, options: MetricOptions) -> list[Watched]:
    """Return for each series whether it can be judged by its usual course, sorted by service and name."""
    found = []
    for key, one in sorted(heard.items()):
        stale_after = max(options.stale_seconds, STALE_STEPS * one.step_seconds)
        needs = [
            Need(one.hours, KNOWN_AFTER_HOURS, "hours of history"),
            Need(int(now - one.last_at <= stale_after), 1, "points", f"in the last {stale_after / 60:g} min"),
        ]
        found.append(watched(metric_subject(*key), needs))
    return found
