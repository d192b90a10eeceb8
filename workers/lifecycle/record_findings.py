"""Turn a tick's findings into incidents: one transaction per incident."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from detection.types import Finding
from storage import audit, incidents
from storage.database.gaps import let_others_write
from storage.database.rows import hold
from storage.models import Incident
from workers.diagnosis.request import enqueue_diagnosis
from workers.lifecycle.grouping import FindingGroup, group_findings
from workers.lifecycle.recovery_messages import reopen
from workers.lifecycle.told_again import to_tell_again
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh
from workers.telling.stakes_message import enqueue_stakes_message
from workers.telling.where_message import record_located_finding
from workers.troubles import Troubles
from workers.words.findings import incident_title, is_notice, severity_of

log = structlog.get_logger()

GROUPS_AT_ONCE = 5
"""Recording so many groups takes some 50 ms; then other writers are let in."""

PATIENCE_INTERVALS = 1.5
"""How many detection intervals the diagnosis of a funnel alone waits for a finding on the endpoint behind it."""


def record_findings(services: Services, findings: Sequence[Finding], troubles: Troubles, now: datetime) -> None:
    """Group the findings, and record each group by itself, opening or reopening its incident."""
    if not findings:
        return
    told_again: frozenset[int] = frozenset()
    with troubles.apart("looking whether what people closed is broken still"):
        told_again = to_tell_again(services, findings, now)
    with services.readers() as session:
        groups = group_findings(session, findings, services.settings, now, told_again)
    for number, group in enumerate(groups, 1):
        names = ", ".join(sorted(finding.fingerprint for finding in group.findings)[:3])
        with troubles.apart(f"recording {names}"), services.sessions.begin() as session:
            _record_group(services, session, group, now)
        if number % GROUPS_AT_ONCE == 0:
            let_others_write(services.engine)


def _record_group(services: Services, session: Session, group: FindingGroup, now: datetime) -> None:
    """Record a group of findings, opening or reopening its incident. Its jobs are enqueued in the same transaction.

    Leave the group to the next tick when somebody changed the incident since the findings were grouped.
    """
    incident = _incident(services, session, group, now)
    if incident is None:
        return
    if group.relapse:
        reopen(services, session, incident, group.findings, now)
    known = incidents.fingerprints_of(session, incident.id) if group.incident else set()
    located = [
        record_located_finding(services, session, incident, finding, tell=not group.muted, now=now)
        for finding in group.findings
    ]
    if group.muted:
        return
    is_news = any(located) or any(finding.fingerprint not in known for finding in group.findings)
    if is_news:
        session.flush()
        session.refresh(incident)
    findings = incidents.findings_of(session, incident.id)
    shown = incident.title, incident.severity
    incident.title = incident_title(findings)
    incident.service = incident.service or _service(findings)
    incident.severity = min(incident.severity, *(severity_of(finding) for finding in findings))
    if is_news or (incident.title, incident.severity) != shown:
        enqueue_refresh(session, incident.id, key=f"findings:{incident.id}:{now.timestamp()}", now=now)
    if not is_news:
        return
    enqueue_stakes_message(services, session, incident.id, findings, now)
    if all(is_notice(finding) for finding in findings):
        return
    patience_seconds = PATIENCE_INTERVALS * services.settings.detection_interval_sec
    enqueue_diagnosis(session, incident, patience_seconds=patience_seconds, now=now)


def _incident(services: Services, session: Session, group: FindingGroup, now: datetime) -> Incident | None:
    """Open the group's incident, or lock it; None when its status is no longer the one it was grouped by."""
    if group.incident is None:
        return _open(services, session, group.findings, now)
    incident = incidents.get_incident(session, group.incident.id)
    hold(session, incident)
    return incident if incident.status == group.incident.status else None


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
    """Return the first service that the findings name; None for a funnel alone."""
    return next((finding.subject.service for finding in findings if finding.subject.service), None)
