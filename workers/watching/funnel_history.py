"""Read the series for the funnel detectors: recent entries, and past hours without those in which it was broken."""

from __future__ import annotations

from collections.abc import Sequence

from detection.funnels.normal import baseline_since
from detection.funnels.undisturbed import undisturbed
from detection.types import FunnelDefinition, FunnelSeries
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS
from workers.memory.broken_times import PastIncident, funnel_broken_times, incidents_of_funnel
from workers.services import Services

HOURS_KEPT = 35 * 24
"""How many hours the rollups are kept."""


def recent_series(services: Services, funnel: FunnelDefinition, until: float) -> Sequence[FunnelSeries]:
    """Read the entries of the recent window, and from before it enough to find the onset and to let entries convert."""
    since = until - 2 * services.settings.recent_window_minutes * 60 - funnel.window_seconds
    return services.telemetry.funnel_series(
        funnel.funnel_id, since=since, until=until, bucket_seconds=FINE_FUNNEL_SECONDS
    )


def hourly_series(
    services: Services, funnel_id: int, past: Sequence[PastIncident], *, since: float, until: float
) -> Sequence[FunnelSeries]:
    """Read the hourly series of everyone and of each segment, without the hours in which it or everyone was broken."""
    found = services.telemetry.funnel_series(funnel_id, since=since, until=until, bucket_seconds=COARSE_SECONDS)
    past = incidents_of_funnel(past, funnel_id)
    return [undisturbed(one, funnel_broken_times(past, funnel_id, (one.dimension, one.value), until)) for one in found]


def baseline_seconds(services: Services, funnel: FunnelDefinition) -> float:
    """Return the length of the baseline for drops and rises."""
    return min(funnel.baseline_days * 86_400, services.settings.baseline_window_hours * 3600)


def history_since(services: Services, funnel: FunnelDefinition, now: float) -> float:
    """Return the start of the baseline for drops and rises.

    It is counted back from the entries that are judged now, which had one funnel window to convert.
    """
    judged = now - funnel.window_seconds - services.settings.recent_window_minutes * 60
    return baseline_since(judged, baseline_seconds(services, funnel) / 3600)
