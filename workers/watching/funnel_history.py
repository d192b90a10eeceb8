"""What the funnel detectors read: recent entries, and the hours before without those in which something was broken."""

from __future__ import annotations

from collections.abc import Sequence

from detection.funnels.normal import baseline_since
from detection.funnels.undisturbed import undisturbed
from detection.types import FunnelDefinition, FunnelSeries, Metric, Subject, TimeSpans
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS
from workers.memory.broken_times import PastIncident, excluded_times
from workers.memory.funnels import Segment
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
    past = drops_of(past, funnel_id)
    return [undisturbed(one, broken_times(past, funnel_id, (one.dimension, one.value), until)) for one in found]


def baseline_seconds(services: Services, funnel: FunnelDefinition) -> float:
    """How much of the past says what is normal for a drop or a rise."""
    return min(funnel.baseline_days * 86_400, services.settings.baseline_window_hours * 3600)


def history_since(services: Services, funnel: FunnelDefinition, now: float) -> float:
    """The first hour that may say what is normal for a drop or a rise now, of entries that had to become ripe first."""
    judged = now - funnel.window_seconds - services.settings.recent_window_minutes * 60
    return baseline_since(judged, baseline_seconds(services, funnel) / 3600)


def drops_of(past: Sequence[PastIncident], funnel_id: int) -> list[PastIncident]:
    """The incidents in which the funnel, or a segment of it, converted badly."""
    drop = fingerprint("funnel", funnel_id)
    return [one for one in past if any(name == drop or name.startswith(f"{drop}:") for name in one.fingerprints)]


def broken_times(past: Sequence[PastIncident], funnel_id: int, segment: Segment, now: float) -> TimeSpans:
    """When this segment, or everyone, was known to convert badly."""
    return [
        times
        for dimension, value in dict.fromkeys([(None, None), segment])
        for times in excluded_times(past, fingerprint("funnel", funnel_id, dimension, value), now)
    ]


def fingerprint(kind: str, funnel_id: int, dimension: str | None = None, value: str | None = None) -> str:
    """The fingerprint that a finding of this kind about this segment has."""
    subject = Subject(kind, "", funnel_id=funnel_id, dimension=dimension, value=value)
    return f"{Metric.CONVERSION_RATE}:{subject.key()}"
