"""Sift the findings of firing alerts: who is woken, what waits, and what is another's symptom.

Argux's own findings pass: they have withstood a statistical test (workers.triage.own). So does an alert that an active
incident holds already. A decision to wait is read again at every tick; nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.triage import Decision, Judgement, triage
from detection.types import AlertDetails, Finding, IncidentStatus, Metric
from storage import triage as stored
from storage.models import FindingRecord, Incident, TriageDecision
from storage.triage import NewDecision
from workers.services import Services
from workers.triage.firings import read_scene
from workers.triage.keeping import keep_decisions

_ACTIVE = [status for status in IncidentStatus if not status.is_closed]


@dataclass(frozen=True, slots=True)
class Sifted:
    """findings: what people are told. turned: the decisions that waited and now wake."""

    findings: tuple[Finding, ...]
    turned: tuple[TriageDecision, ...] = ()


def sift(services: Services, findings: Sequence[Finding], now: datetime) -> Sifted:
    """Decide about the findings of a tick whose alerts were all read; store what changed, and return what is told."""
    alerts = [finding for finding in findings if finding.metric is Metric.ALERT]
    with services.readers() as session:
        earlier = stored.holding(session, of_alerts=True)
        told = _held_by_incidents(session) if alerts else {}
    if not alerts and not earlier:
        return Sifted(tuple(findings))
    scene = read_scene(services, alerts, told, now)
    judged = {one.firing_id: one for one in triage(scene.firings, scene.context, now.timestamp())}
    by_fingerprint = {finding.fingerprint: finding for finding in alerts}
    new = [_decision(finding, judged[finding.fingerprint], told) for finding in alerts]
    fires = {one.fingerprint for one in new}
    over = [decision for fingerprint, decision in earlier.items() if fingerprint not in fires]
    turned = keep_decisions(services, new, earlier, over, now)
    waits = {
        finding.fingerprint
        for finding in alerts
        if finding.fingerprint not in told and not _is_told(finding, judged, by_fingerprint)
    }
    told_ones = [one for one in findings if one.fingerprint not in waits]
    return Sifted(tuple(_as_severe(one, _symptoms(one, waits, judged, by_fingerprint)) for one in told_ones), turned)


def _held_by_incidents(session: Session) -> dict[str, int]:
    """Return the active incident of each alert that has one, by fingerprint."""
    query = (
        select(FindingRecord.fingerprint, FindingRecord.incident_id)
        .join(Incident, Incident.id == FindingRecord.incident_id)
        .where(FindingRecord.metric == Metric.ALERT.value, Incident.status.in_(_ACTIVE))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def _is_told(finding: Finding, judged: dict[str, Judgement], alerts: dict[str, Finding]) -> bool:
    """Return whether people are told: it wakes, or it joins the incident of what wakes, of the same service.

    Those of one service, or of one notification, stand on one card. A symptom in another service would open an incident
    of its own, so it is only kept.
    """
    judgement = judged[finding.fingerprint]
    if judgement.decision is Decision.WAKE:
        return True
    root = alerts.get(judgement.joins or "")
    if root is None:
        return False
    return root.subject.service == finding.subject.service or _mark(root) == _mark(finding) is not None


def _symptoms(
    root: Finding, waits: set[str], judged: dict[str, Judgement], alerts: dict[str, Finding]
) -> list[Finding]:
    """Return the alerts that are only kept, because what the root tells is their cause."""
    return [alerts[one] for one in waits if judged[one].joins == root.fingerprint]


def _as_severe(root: Finding, symptoms: Sequence[Finding]) -> Finding:
    """Return the root at the severity of its worst symptom: people must not be told less loudly than by that one."""
    if not isinstance(root.details, AlertDetails):
        return root
    stated = [one.details.severity for one in (root, *symptoms) if isinstance(one.details, AlertDetails)]
    worst = min((severity for severity in stated if severity is not None), default=None)
    return root if worst is root.details.severity else replace(root, details=replace(root.details, severity=worst))


def _mark(finding: Finding) -> str | None:
    return finding.details.together if isinstance(finding.details, AlertDetails) else None


def _decision(finding: Finding, judgement: Judgement, told: dict[str, int]) -> NewDecision:
    incident = told.get(finding.fingerprint)
    is_told = incident is not None and judgement.decision is not Decision.WAKE
    return NewDecision(
        fingerprint=finding.fingerprint,
        name=finding.subject.name,
        service=finding.subject.service,
        decision=(Decision.WAKE if incident is not None else judgement.decision).value,
        rule="owned" if is_told else judgement.rule,
        reason=f"It is part of incident #{incident}." if is_told else judgement.reason,
        joins=None if is_told else judgement.joins,
        log_odds=judgement.log_odds,
        fired_at=datetime.fromtimestamp(finding.onset_at, UTC),
    )
