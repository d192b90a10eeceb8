"""One detection tick: roll up what came in, ask every detector, and turn findings into incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from detection.correlation import groups, signature
from detection.detectors import endpoint_findings, funnel_findings
from detection.types import Finding, FunnelDefinition
from storage import audit, diagnoses, incidents, outbox
from storage import funnels as stored_funnels
from storage.models import Incident
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS, FINE_FUNNEL_SECONDS
from workers.describing import incident_title, severity_of
from workers.options import endpoint_options, funnel_options
from workers.services import Services

log = structlog.get_logger()

MAXIMUM_PASSES = 20
"""How many roll-up passes one tick makes before it leaves the rest, and detection, to the next."""


def detect(services: Services) -> bool:
    """Run one tick; returns False where the roll-up has a backlog, so that nothing is judged on half the data."""
    with services.readers() as session:
        funnels = [stored_funnels.definition(row) for row in stored_funnels.list_funnels(session)]
    now = services.clock()
    if not roll_up(services, funnels, now):
        log.info("roll_up_backlog")
        return False
    findings = [*_endpoint_findings(services, now), *_funnel_findings(services, funnels, now)]
    with services.sessions.begin() as session:
        for group in _grouped(services, session, findings, now):
            _to_incident(services, session, group, now)
    return True


def roll_up(services: Services, funnels: Sequence[FunnelDefinition], now: datetime) -> bool:
    """Roll up until nothing waits; False when MAXIMUM_PASSES were not enough."""
    for _ in range(MAXIMUM_PASSES):
        taken = services.telemetry.roll_up(funnels, now=now.timestamp())
        if not taken.events and not taken.spans:
            return True
    return False


def _endpoint_findings(services: Services, now: datetime) -> list[Finding]:
    settings = services.settings
    until = now.timestamp()
    return endpoint_findings(
        services.telemetry.endpoint_series(
            since=until - settings.recent_window_minutes * 60, until=until, bucket_seconds=FINE_ENDPOINT_SECONDS
        ),
        services.telemetry.endpoint_series(
            since=until - settings.baseline_window_hours * 3600, until=until, bucket_seconds=COARSE_SECONDS
        ),
        now=until,
        options=endpoint_options(settings),
    )


def _funnel_findings(services: Services, funnels: Sequence[FunnelDefinition], now: datetime) -> list[Finding]:
    settings = services.settings
    until = now.timestamp()
    found: list[Finding] = []
    for funnel in funnels:
        baseline_seconds = min(funnel.baseline_days * 86_400, settings.baseline_window_hours * 3600)
        found += funnel_findings(
            services.telemetry.funnel_series(
                funnel.funnel_id,
                since=until - settings.recent_window_minutes * 60 - funnel.window_seconds,
                until=until,
                bucket_seconds=FINE_FUNNEL_SECONDS,
            ),
            services.telemetry.funnel_series(
                funnel.funnel_id, since=until - baseline_seconds, until=until, bucket_seconds=COARSE_SECONDS
            ),
            funnel,
            now=until,
            options=funnel_options(settings),
        )
    return found


def _grouped(
    services: Services, session: Session, findings: Sequence[Finding], now: datetime
) -> list[tuple[list[Finding], Incident | None]]:
    """Findings that belong together, each group with the active incident it belongs to, if any."""
    cooldown = timedelta(minutes=services.settings.alert_cooldown_minutes)
    fresh = [finding for finding in findings if not _is_muted(session, finding, now - cooldown)]
    active = {incident.id: incident for incident in incidents.active_incidents(session)}
    signatures = [
        signature(
            incident.id,
            incident.onset_at.timestamp(),
            [incidents.to_finding(record) for record in incident.findings],
        )
        for incident in active.values()
    ]
    return [
        (list(group.findings), active[group.incident_id] if group.incident_id is not None else None)
        for group in groups(fresh, signatures)
    ]


def _is_muted(session: Session, finding: Finding, cooldown_since: datetime) -> bool:
    """A problem just closed is not opened again: within the cooldown, or while it is the same break seen before."""
    closed_at = incidents.last_closed_at(session, finding.fingerprint)
    if closed_at is None:
        return False
    return closed_at >= cooldown_since or finding.onset_at <= closed_at.timestamp()


def _to_incident(
    services: Services, session: Session, group: tuple[list[Finding], Incident | None], now: datetime
) -> None:
    """Record a group of findings, opening an incident where there is none; jobs are part of the same commit."""
    findings, incident = group
    if incident is None:
        incident = _open(services, session, findings, now)
        is_news = True
    else:
        known = {record.fingerprint for record in incident.findings}
        is_news = any(finding.fingerprint not in known for finding in findings)
    for finding in findings:
        incidents.record_finding(session, incident, finding, now=now)
    if not is_news:
        return
    session.flush()
    session.refresh(incident)
    known_now = [incidents.to_finding(record) for record in incident.findings]
    incident.title = incident_title(known_now)
    incident.severity = min(incident.severity, *(severity_of(finding) for finding in known_now))
    mark = f"{incident.id}:{len(incident.findings)}"
    outbox.enqueue(session, "refresh_incident", {"incident_id": incident.id}, key=f"refresh:finding:{mark}", now=now)
    latest = diagnoses.latest_diagnosis(session, incident.id)
    if latest is None or latest.status != "concluded":
        outbox.enqueue(session, "diagnose", {"incident_id": incident.id}, key=f"diagnose:finding:{mark}", now=now)


def _open(services: Services, session: Session, findings: Sequence[Finding], now: datetime) -> Incident:
    onset_at = datetime.fromtimestamp(min(finding.onset_at for finding in findings), tz=UTC)
    service = next((finding.subject.service for finding in findings if finding.subject.service), None)
    incident = incidents.open_incident(
        session,
        title=incident_title(findings),
        severity=min(severity_of(finding) for finding in findings),
        service=service,
        onset_at=onset_at,
        now=now,
    )
    audit.append(
        session,
        key=services.audit_key,
        actor="Argux",
        event="incident_opened",
        payload={"incident_id": incident.id, "fingerprints": [finding.fingerprint for finding in findings]},
        now=now,
    )
    log.info("incident_opened", incident_id=incident.id)
    return incident
