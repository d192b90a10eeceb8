"""Verification: once a fix is live, test the incident's metrics again, and resolve or reopen the incident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.recovery import Recovery, RecoveryState
from detection.types import Finding, IncidentStatus
from integrations.cards import Card
from integrations.text import bullets, lines, ours, words
from storage import audit, deploys, incidents, proposals, verifications
from storage.database.rows import hold
from storage.models import Action, Incident, Proposal, Verification
from storage.telemetry.protocol import WholeUntil
from workers.lifecycle.judging import judge_by_recovery
from workers.lifecycle.learning import store_knowledge_entry
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.telling.incident_view import incident_view
from workers.troubles import Troubles
from workers.watching.catalogue import watch_of
from workers.words.findings import duration_text
from workers.words.measures import measure

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Retest:
    """A running verification: the findings to test again, when the fix went live, and the deadline."""

    verification_id: int
    incident_id: int
    findings: tuple[Finding, ...]
    live_at: datetime | None
    deadline_at: datetime


def verify_running(services: Services, whole: WholeUntil, troubles: Troubles) -> None:
    """Test every running verification, and conclude those that recovered or passed their deadline.

    One that cannot be tested is tried again at the next tick, and concluded without a measure at its deadline.
    """
    with services.readers() as session:
        running = verifications.running_verifications(session)
    for verification_id, incident_id in running:
        with troubles.apart(f"verifying the fix of incident #{incident_id}"):
            _verify(services, verification_id, incident_id, whole)


def _verify(services: Services, verification_id: int, incident_id: int, whole: WholeUntil) -> None:
    now = services.clock()
    with services.readers() as session:
        deadline_at = session.scalars(select(Verification.deadline_at).where(Verification.id == verification_id)).one()
    retest = Retest(verification_id, incident_id, (), None, deadline_at)
    try:
        with services.sessions.begin() as session:
            retest = _retest(session, session.get_one(Verification, verification_id))
        recoveries = _recoveries(services, retest, whole, now)
    except Exception as error:
        if now >= deadline_at:
            _conclude(services, retest, [], recovered=False, now=now, why=f"The metric could not be read: {error}")
        raise
    recovered = bool(recoveries) and all(item.state is RecoveryState.RECOVERED for item in recoveries)
    if recovered or now >= retest.deadline_at:
        _conclude(services, retest, recoveries, recovered=recovered, now=now)


def _retest(session: Session, row: Verification) -> Retest:
    """Read what to test. Store when the fix went live, once a deploy shows it."""
    action = session.get_one(Action, row.action_id)
    proposal = proposals.get_proposal(session, action.proposal_id)
    if row.live_at is None:
        row.live_at = _live_since(session, action, str(proposal.parameters["service"]))
    incident = incidents.get_incident(session, row.incident_id)
    return Retest(
        verification_id=row.id,
        incident_id=row.incident_id,
        findings=tuple(incidents.to_finding(record) for record in incident.findings),
        live_at=row.live_at,
        deadline_at=row.deadline_at,
    )


def _live_since(session: Session, action: Action, service: str) -> datetime | None:
    """Return when the merge commit went live, else when the first other deploy after the merge did; None if neither.

    A quick deployer may be live before the merge's response is stored, so the search for the merge commit begins at
    started_at. If somebody merged before the action, the deploy may be older than the action, so the search begins at
    merged_at.
    """
    merged, at = action.result.get("merge_commit_sha"), action.result.get("merged_at")
    merged_at = datetime.fromisoformat(at) if at else None
    since = merged_at or action.started_at
    deploy = deploys.first_deploy_since(session, service, since, commit_sha=merged) if merged else None
    since_any = merged_at or action.finished_at
    if deploy is None and since_any is not None:
        deploy = deploys.first_deploy_since(session, service, since_any)
    return deploy.deployed_at if deploy is not None else None


def _recoveries(services: Services, retest: Retest, whole: WholeUntil, now: datetime) -> list[Recovery]:
    """Return one recovery per finding, by the data that is whole; none while the fix is not live."""
    if retest.live_at is None:
        return []
    live_at = retest.live_at.timestamp()
    watches = [(finding, watch_of(finding.metric)) for finding in retest.findings]
    return [
        watch.recovery(services, finding, live_at, watch.whole(whole, now.timestamp())) for finding, watch in watches
    ]


def _conclude(
    services: Services,
    retest: Retest,
    recoveries: list[Recovery],
    *,
    recovered: bool,
    now: datetime,
    why: str = "No deploy with the fix was seen in time.",
) -> None:
    """Record the outcome and post it. why: what to say when there is no measure."""
    measures = [
        measure(finding, item) for finding, item in zip(retest.findings, recoveries, strict=bool(recoveries))
    ] or [{"text": why}]
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, retest.incident_id)
        hold(session, incident)
        row = session.get_one(Verification, retest.verification_id)
        if row.status != "running":
            return
        verifications.record_measures(session, row, measures)
        status = _status(recoveries, recovered=recovered)
        verifications.finish_verification(session, row, status=status, now=now)
        if recovered:
            _resolve(session, incident, row, now)
        else:
            _reopen(session, incident, now)
        judge_by_recovery(session, incident, row, recoveries, now=now)
        payload = {"incident_id": incident.id, "verification_id": row.id, "status": status}
        audit.append(
            session, key=services.audit_key, actor="Argux", event="verification_finished", payload=payload, now=now
        )
        card = _card(incident, measures, status, now=now)
        channel = services.settings.slack_channel
        key = f"verification:{row.id}"
        enqueue_thread_message(session, incident.id, key=key, card=card, channel=channel, now=now, is_answer=True)
        enqueue_refresh(session, incident.id, key=f"verification:{row.id}", now=now)
    log.info("verification_finished", incident_id=retest.incident_id, recovered=recovered)


def _status(recoveries: list[Recovery], *, recovered: bool) -> str:
    """Return the outcome: insufficient_data when no finding is still broken but one could not be judged."""
    if recovered:
        return "recovered"
    states = {item.state for item in recoveries}
    if RecoveryState.INSUFFICIENT_DATA in states and RecoveryState.STILL_BROKEN not in states:
        return "insufficient_data"
    return "not_recovered"


def _resolve(session: Session, incident: Incident, row: Verification, now: datetime) -> None:
    if not incident.status.is_closed:
        incidents.change_status(session, incident, IncidentStatus.RESOLVED, actor="Argux", now=now)
    if incident.status is IncidentStatus.FALSE_ALARM:
        return
    view = incident_view(session, incident.id)
    proposal = session.get_one(Proposal, session.get_one(Action, row.action_id).proposal_id)
    store_knowledge_entry(session, view, fix=proposal.title, measures=row.measures, now=now)


def _reopen(session: Session, incident: Incident, now: datetime) -> None:
    if incident.status is IncidentStatus.MITIGATING:
        incidents.change_status(session, incident, IncidentStatus.OPEN, actor="Argux", now=now)


def _card(incident: Incident, measures: list[dict[str, Any]], status: str, *, now: datetime) -> Card:
    course = bullets(measure["text"] for measure in measures)
    lasted = duration_text((now - incident.onset_at).total_seconds())
    if status == "recovered":
        closed = "resolved" if incident.status is IncidentStatus.RESOLVED else f"closed by {incident.closed_by}"
        ending = ours("The incident is {closed}; it lasted {lasted}.", closed=closed, lasted=lasted)
        return Card(title="Recovered", text=lines([course, ending]))
    is_closed = incident.status.is_closed
    stands = (
        ours("The incident was closed by {who}.", who=incident.closed_by)
        if is_closed
        else ours("The incident is open again.")
    )
    if status == "insufficient_data":
        title = "Insufficient data to tell whether it recovered"
        advice = ours("To know, somebody has to look, or to wait for more traffic.")
    else:
        title = "Not recovered"
        advice = ours("The fix can be taken back by reverting its pull request.")
    return Card(title=title, text=lines([course, words([stands, advice])]))
