"""Which services have enough log history for the log detectors."""

from __future__ import annotations

from collections.abc import Mapping

from detection.coverage import Need, Watched, watched
from detection.logs.findings import LogOptions
from detection.types import Subject

HOUR_SECONDS = 3600.0


def log_states(heard_since: Mapping[str, float], *, now: float, options: LogOptions) -> list[Watched]:
    """Return for each service whether its templates can be judged yet, sorted by name; named patterns always can.

    heard_since: the time of the first known log line of each service, in seconds UTC.
    """
    return [
        watched(
            Subject("logs", "logs", service=service),
            [Need((now - since) / HOUR_SECONDS, options.minimum_baseline_hours, "hours of history")],
        )
        for service, since in sorted(heard_since.items())
    ]
