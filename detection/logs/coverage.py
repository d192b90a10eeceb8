"""Which services' logs can be judged: what the log detectors need, held against how long each has been heard of."""

from __future__ import annotations

from collections.abc import Mapping

from detection.coverage import Need, Watched, watched
from detection.logs.findings import LogOptions
from detection.types import Subject

HOUR_SECONDS = 3600.0


def log_states(heard_since: Mapping[str, float], *, now: float, options: LogOptions) -> list[Watched]:
    """Say of each service whether its templates can be judged yet, by name; its named patterns always can.

    heard_since: when the first line known of each service happened, in seconds UTC.
    """
    return [
        watched(
            Subject("logs", "logs", service=service),
            [Need((now - since) / HOUR_SECONDS, options.minimum_baseline_hours, "hours of history")],
        )
        for service, since in sorted(heard_since.items())
    ]
