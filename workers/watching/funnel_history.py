"""What the funnel detectors read: recent entries, and the hours before without those in which something was broken."""

from __future__ import annotations

from collections.abc import Sequence

from detection.funnels.normal import baseline_since
from detection.funnels.undisturbed import undisturbed
from detection.types import FunnelDefinition, FunnelSeries
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS
from workers.memory.broken_times import PastIncident, funnel_broken_times, incidents_of_funnel
from workers.services import Services

HOURS_KEPT = 35 * 24
"""For so many hours the rollups are kept."""


def recent_series(services: Services, funnel: FunnelDefinition, until: float) -> Sequence[FunnelSeries]:
    """The entries of the recent window, with time before it for the onset and after it to convert."""
    since = until - 2 * services.settings.recent_window_minutes * 60 - funnel.window_seconds
    return services.telemetry.funnel_series(
        funnel.funnel_id, since=since, until=until, bucket_seconds=FINE_FUNNEL_SECONDS
    )


def hourly_series(
    services: Services, funnel_id: int, past: Sequence[PastIncident], *, since: float, until: float
) -> Sequence[FunnelSeries]:
    """Each series without the hours in which it, or everyone's conversion, was known to be broken."""
    found = services.telemetry.funnel_series(funnel_id, since=since, until=until, bucket_seconds=COARSE_SECONDS)
    past = incidents_of_funnel(past, funnel_id)
    return [undisturbed(one, funnel_broken_times(past, funnel_id, (one.dimension, one.value), until)) for one in found]


def baseline_seconds(services: Services, funnel: FunnelDefinition) -> float:
    """How much of the past says what is normal for a drop or a rise."""
    return min(funnel.baseline_days * 86_400, services.settings.baseline_window_hours * 3600)


def history_since(services: Services, funnel: FunnelDefinition, now: float) -> float:
    """The first hour that may say what is normal for a drop or a rise now, of entries that had to become ripe first."""
    judged = now - funnel.window_seconds - services.settings.recent_window_minutes * 60
    return baseline_since(judged, baseline_seconds(services, funnel) / 3600)
