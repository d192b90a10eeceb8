"""Step 1: describe what is broken, where, since when and how badly."""

from __future__ import annotations

from collections.abc import Sequence

from detection.types import Finding, FindingDetails, FunnelDetails, FunnelWindowDetails, Metric
from storage.telemetry.protocol import FINE_ENDPOINT_SECONDS, TelemetryStore
from workers.diagnosis.model import Characterisation, SegmentShare, Symptom, Version
from workers.words.attribution_details import is_mix, places_of
from workers.words.findings import finding_sentence, subject_text

FUNNEL_BLUR_SECONDS = 300.0
"""A funnel's onset is when the first bad cohort entered; its cause came up to this much later."""

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
    """Describe an incident from its findings.

    service, onset_at: those of the incident, used where the findings name no service, or where there are no findings.
    """
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
    """Return the earliest and the latest time at which the incident can have begun.

    Endpoints give the onset most precisely, then logs. Other findings are used only if there are none of these; the
    onset of a funnel may be up to FUNNEL_BLUR_SECONDS too early.
    """
    sharp = [finding for finding in findings if finding.subject.endpoint] or [
        finding for finding in findings if finding.metric is Metric.LOG_RATE
    ]
    if sharp:
        lows, highs = zip(*(_interval(finding) for finding in sharp), strict=True)
        return min(lows), max(highs)
    if findings:
        lows, highs = zip(*(_interval(finding) for finding in findings), strict=True)
        is_blurred = any(finding.subject.funnel_id is not None for finding in findings)
        return min(lows), max(highs) + (FUNNEL_BLUR_SECONDS if is_blurred else 0.0)
    return onset_at - FUNNEL_BLUR_SECONDS, onset_at + FUNNEL_BLUR_SECONDS


def _interval(finding: Finding) -> tuple[float, float]:
    low, high = finding.onset_interval
    onset = finding.onset_at
    return min(onset - FINE_ENDPOINT_SECONDS, low), max(onset + FINE_ENDPOINT_SECONDS, high)


def _symptom(finding: Finding) -> Symptom:
    subject, details = finding.subject, finding.details
    return Symptom(
        metric=finding.metric,
        name=subject_text(finding),
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
        step=details.step if isinstance(details, FunnelWindowDetails) else None,
        horizon_seconds=details.horizon_seconds if isinstance(details, FunnelDetails) else FUNNEL_BLUR_SECONDS,
        segments=_segments(details),
        places=places_of(finding),
        is_mix=is_mix(finding),
        words=finding_sentence(finding) if finding.metric in (Metric.CUSTOM, Metric.ALERT) else None,
    )


def _segments(details: FindingDetails | None) -> tuple[SegmentShare, ...]:
    """Yield the segments that the detector marked as standing out."""
    where = details.where if isinstance(details, FunnelDetails) else ()
    return tuple(SegmentShare(loss.dimension, loss.value, loss.share_of_drop) for loss in where)
