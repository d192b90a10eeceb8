"""One detection tick: roll up what came in, ask every detector, and turn findings into incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from detection.types import Finding, FunnelDefinition
from storage import audit, incidents
from storage import funnels as stored_funnels
from storage.models import Incident
from workers.diagnosis.job import enqueue_diagnosis
from workers.lifecycle.grouping import Belonging, belongings
from workers.lifecycle.recovery_messages import reopen
from workers.lifecycle.seen_deploys import note_versions
from workers.memory.broken_times import past_incidents
from workers.services import Services
from workers.telling.enqueue import changed
from workers.telling.stakes_message import tell_stakes
from workers.telling.where_message import record as record_where
from workers.watching.catalogue import WATCHES
from workers.watching.watch import Tick
from workers.words.findings import incident_title, is_notice, severity_of

log = structlog.get_logger()

PATIENCE_INTERVALS = 1.5
"""How many detection intervals the diagnosis of a funnel alone waits for the endpoint that may have broken it."""

MAXIMUM_PASSES = 20
"""How many roll-up passes one tick makes before it leaves the rest, and detection, to the next."""


def detect(services: Services) -> bool:
    """Run one tick; returns False where the roll-up has a backlog, so that nothing is judged on half the data.

    Raises an ExceptionGroup, once what was found is recorded, when some signals could not be watched.
    """
    with services.readers() as session:
        funnels = [stored_funnels.definition(row) for row in stored_funnels.list_funnels(session)]
    now = services.clock()
    if not roll_up(services, funnels, now):
        log.info("roll_up_backlog")
        return False
    note_versions(services, now)
    with services.readers() as session:
        # Baselines begin some hours before their window: at the same hour of last week as what is judged.
        baseline_since = now - timedelta(hours=services.settings.baseline_window_hours + 24)
        tick = Tick(now, funnels, past_incidents(session, since=baseline_since))
    findings, failures = _watched(services, tick)
    with services.sessions.begin() as session:
        for group in belongings(session, findings, services.settings, now):
            _to_incident(services, session, group, now)
    if failures:
        raise ExceptionGroup("Not everything could be watched at this tick", failures)
    return True


def _watched(services: Services, tick: Tick) -> tuple[list[Finding], list[Exception]]:
    """What every watch found: one that fails must not blind the others."""
    findings: list[Finding] = []
    failures: list[Exception] = []
    for watch in WATCHES:
        try:
            findings += watch.findings(services, tick)
        except Exception as error:
            log.exception("watch_failed", metrics=sorted(watch.metrics))
            failures.append(error)
    return findings, failures


def roll_up(services: Services, funnels: Sequence[FunnelDefinition], now: datetime) -> bool:
    """Roll up until nothing waits; False when MAXIMUM_PASSES were not enough."""
    for _ in range(MAXIMUM_PASSES):
        taken = services.telemetry.roll_up(funnels, now=now.timestamp())
        if not taken.logs and not taken.events and not taken.spans and not taken.points:
            return True
    return False


def _to_incident(services: Services, session: Session, group: Belonging, now: datetime) -> None:
    """Record findings, opening an incident where there is none; the jobs are part of the same commit."""
    incident = group.incident or _open(services, session, group.findings, now)
    if group.relapse:
        reopen(services, session, incident, group.findings, now)
    known = {record.fingerprint for record in incident.findings} if group.incident else set()
    located = [
        record_where(services, session, incident, finding, tell=not group.muted, now=now) for finding in group.findings
    ]
    if group.muted:
        return
    is_news = any(located) or any(finding.fingerprint not in known for finding in group.findings)
    if is_news:
        session.flush()
        session.refresh(incident)
    findings = [incidents.to_finding(record) for record in incident.findings]
    shown = incident.title, incident.severity
    incident.title = incident_title(findings)
    incident.service = incident.service or _service(findings)
    incident.severity = min(incident.severity, *(severity_of(finding) for finding in findings))
    if is_news or (incident.title, incident.severity) != shown:
        changed(session, incident.id, key=f"findings:{incident.id}:{now.timestamp()}", now=now)
    if not is_news:
        return
    tell_stakes(services, session, incident.id, findings, now)
    if all(is_notice(finding) for finding in findings):
        return
    patience_seconds = PATIENCE_INTERVALS * services.settings.detection_interval_sec
    enqueue_diagnosis(session, incident, patience_seconds=patience_seconds, now=now)


def _open(services: Services, session: Session, findings: Sequence[Finding], now: datetime) -> Incident:
    onset_at = datetime.fromtimestamp(min(finding.onset_at for finding in findings), tz=UTC)
    incident = incidents.open_incident(
        session,
        title=incident_title(findings),
        severity=min(severity_of(finding) for finding in findings),
        service=_service(findings),
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


def _service(findings: Sequence[Finding]) -> str | None:
    """The service that the findings name; a funnel alone names none."""
    return next((finding.subject.service for finding in findings if finding.subject.service), None)
