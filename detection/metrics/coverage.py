"""Which custom metrics can be judged: what the level detector needs, held against the hours and minutes there are."""

from __future__ import annotations

from collections.abc import Mapping

from detection.coverage import Need, Watched, watched
from detection.metrics.findings import MetricOptions, metric_subject

Key = tuple[str, str, str]
"""(service, name, attributes)."""


def metric_states(hours: Mapping[Key, int], minutes: Mapping[Key, int], *, options: MetricOptions) -> list[Watched]:
    """Say of each series whether its level can be judged, by service and name.

    hours: in how many hours of the baseline window, before the recent one, it was heard of. minutes: in how many of the
    last `stale_seconds`; a missing series in none.
    """
    lately = f"in the last {options.stale_seconds / 60:g} min"
    return [
        watched(
            metric_subject(*key),
            [
                Need(hours.get(key, 0), options.minimum_baseline_hours, "hours of history"),
                Need(minutes.get(key, 0), 1, "measured minutes", lately),
            ],
        )
        for key in sorted({*hours, *minutes})
    ]
