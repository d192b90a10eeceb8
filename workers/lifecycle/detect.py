"""One detection tick: roll up new telemetry, run all detectors, turn findings into incidents."""

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
from workers.lifecycle.grouping import FindingGroup, group_findings
from workers.lifecycle.recovery_messages import reopen
from workers.lifecycle.seen_deploys import record_new_versions
from workers.lifecycle.told_again import to_tell_again
from workers.memory.broken_times import past_incidents
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh
from workers.telling.stakes_message import enqueue_stakes_message
from workers.telling.where_message import record_located_finding
from workers.watching.catalogue import WATCHES
from workers.watching.watch import Tick
from workers.words.findings import incident_title, is_notice, severity_of

log = structlog.get_logger()

PATIENCE_INTERVALS = 1.5
"""How many detection intervals the diagnosis of a funnel alone waits for a finding on the endpoint behind it."""

MAXIMUM_PASSES = 20
"""How many roll-up passes one tick makes. After that it leaves the rest, and detection, to the next tick."""


def detect(services: Services) -> bool:
    """Run one tick. Return False, without detecting, when the roll-up has a backlog and the data is incomplete.

    When a watch failed, raise an ExceptionGroup after recording the findings of the others.
    """
    with services.readers() as session:
        funnels = [stored_funnels.definition(row) for row in stored_funnels.list_funnels(session)]
    now = services.clock()
    if not roll_up(services, funnels, now):
        log.info("roll_up_backlog")
        return False
    record_new_versions(services, now)
    with services.readers() as session:
        # A baseline begins some hours before its window: at the same hour of last week as the data that is judged.
        baseline_since = now - timedelta(hours=services.settings.baseline_window_hours + 24)
        tick = Tick(now, funnels, past_incidents(session, since=baseline_since))
    findings, failures = _run_watches(services, tick)
    told_again = to_tell_again(services, findings, now)
    with services.sessions.begin() as session:
        for group in group_findings(session, findings, services.settings, now, told_again):
            _record_group(services, session, group, now)
    if failures:
        raise ExceptionGroup("Not everything could be watched at this tick", failures)
    return True


def _run_watches(services: Services, tick: Tick) -> tuple[list[Finding], list[Exception]]:
    """Run every watch; return the findings and the errors. A watch that fails does not stop the others."""
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
    """Roll up until nothing is left; return False when MAXIMUM_PASSES were not enough."""
    for _ in range(MAXIMUM_PASSES):
        taken = services.telemetry.roll_up(funnels, now=now.timestamp())
        if not taken.logs and not taken.events and not taken.spans and not taken.points:
            return True
    return False


def _record_group(services: Services, session: Session, group: FindingGroup, now: datetime) -> None:
    """Record a group of findings, opening or reopening its incident. Its jobs are enqueued in the same transaction."""
    incident = group.incident or _open(services, session, group.findings, now)
    if group.relapse:
        reopen(services, session, incident, group.findings, now)
    known = {record.fingerprint for record in incident.findings} if group.incident else set()
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
    findings = [incidents.to_finding(record) for record in incident.findings]
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
