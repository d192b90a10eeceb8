"""Which custom metrics have enough data for the level detector."""

from __future__ import annotations

from collections.abc import Mapping

from detection.coverage import Need, Watched, watched
from detection.metrics.findings import MetricOptions, metric_subject

Key = tuple[str, str, str]
"""(service, name, attributes)."""


def metric_states(hours: Mapping[Key, int], minutes: Mapping[Key, int], *, options: MetricOptions) -> list[Watched]:
    """Return for each series whether its level can be judged, sorted by service and name.

    hours: the number of hours with points in the baseline window, which ends before the recent window. minutes: the
    number of minutes with points within the last `stale_seconds`; 0 for a missing series.
    """
    in_recent_window = f"in the last {options.stale_seconds / 60:g} min"
    return [
        watched(
            metric_subject(*key),
            [
                Need(hours.get(key, 0), options.minimum_baseline_hours, "hours of history"),
                Need(minutes.get(key, 0), 1, "measured minutes", in_recent_window),
            ],
        )
        for key in sorted({*hours, *minutes})
    ]
