"""Step 1: what is broken, where, since when and how badly."""

from __future__ import annotations

from collections.abc import Sequence

from detection.types import Finding
from storage.telemetry.protocol import FINE_ENDPOINT_SECONDS, TelemetryStore
from workers.diagnosis.model import Characterisation, Symptom, Version

FUNNEL_BLUR_SECONDS = 300.0
"""A funnel's onset is the entry time of the first cohort that fared worse; what stopped it happened up to this later."""

HISTORY_SECONDS = 3600.0


def characterise(
    incident_id: int,
    findings: Sequence[Finding],
    *,
    service: str | None,
    onset_at: float,
    now: float,
    telemetry: TelemetryStore,
) -> Characterisation:
    """Describe an incident from its findings; `service` and `onset_at` are the incident's own, used without any."""
    earliest, latest = onset_interval(findings, onset_at)
    named = {finding.subject.service for finding in findings if finding.subject.service}
    services = tuple(sorted(named or ({service} if service else set())))
    since = earliest - HISTORY_SECONDS
    return Characterisation(
        incident_id=incident_id,
        asked_at=now,
        onset_earliest=earliest,
        onset_latest=min(latest, now),
        services=services,
        symptoms=tuple(_symptom(finding) for finding in findings),
        versions=tuple(
            Version(name, version, first_seen_at)
            for name in services
            for version, first_seen_at in telemetry.versions_seen(name, since=since, until=now)
        ),
    )


def onset_interval(findings: Sequence[Finding], onset_at: float) -> tuple[float, float]:
    """Between which moments it began: endpoints tell it sharply, funnels only roughly, so they speak when alone."""
    sharp = [finding.onset_at for finding in findings if finding.subject.endpoint]
    if sharp:
        return min(sharp) - FINE_ENDPOINT_SECONDS, max(sharp) + FINE_ENDPOINT_SECONDS
    rough = [finding.onset_at for finding in findings] or [onset_at]
    return min(rough), max(rough) + FUNNEL_BLUR_SECONDS


def _symptom(finding: Finding) -> Symptom:
    subject = finding.subject
    return Symptom(
        metric=finding.metric,
        name=subject.name,
        service=subject.service,
        endpoint=subject.endpoint,
        funnel_id=subject.funnel_id,
        dimension=subject.dimension,
        value=subject.value,
        observed=finding.observed,
        expected=finding.expected,
        sample_size=finding.sample_size,
        window_start=finding.window_start,
        window_end=finding.window_end,
        onset_at=finding.onset_at,
    )
