"""Run the diagnosis of an incident, post its result in the thread, and enqueue the proposal of a fix."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from integrations.cards import Card
from integrations.text import bullets, lines, ours
from storage import diagnoses, incidents, outbox
from storage.database.rows import hold
from storage.models import Diagnosis, Incident
from workers.diagnosis import pipeline
from workers.diagnosis.account import account, evidence_lines
from workers.errors import RefusedError
from workers.locks import one_at_a_time
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message


def diagnose(services: Services, incident_id: int, finding_count: int | None = None) -> None:
    """Diagnose an incident, or resume a diagnosis that a restart interrupted. Idempotent.

    finding_count: how many findings the incident had when detection requested this; the request is skipped if the
    incident has more by now, since a later request covers them. None: a person requested it.
    """
    if finding_count is not None and _is_outdated(services, incident_id, finding_count):
        return
    with one_at_a_time(services, f"diagnosis:{incident_id}"):
        outcome = pipeline.run(incident_id, _sources(services))
    now = services.clock()
    is_answer = finding_count is None
    with services.sessions.begin() as session:
        diagnosis = diagnoses.get_diagnosis(session, outcome.diagnosis_id)
        incidents.add_timeline(
            session,
            incident_id,
            kind="diagnosed",
            actor="Argux",
            text=outcome.root_cause or "The cause is not known.",
            now=now,
        )
        enqueue_thread_message(
            session,
            incident_id,
            key=f"diagnosis:{diagnosis.id}",
            card=diagnosis_card(diagnosis),
            channel=services.settings.slack_channel,
            now=now,
            is_answer=is_answer,
        )
        enqueue_refresh(session, incident_id, key=f"diagnosis:{diagnosis.id}", now=now)
        if diagnosis.status == "concluded" and outcome.fix.action:
            arguments = {"diagnosis_id": diagnosis.id, "is_answer": is_answer}
            outbox.enqueue(session, "propose_fix", arguments, key=f"propose:{diagnosis.id}", now=now)


def diagnosis_given_up(services: Services, incident_id: int, reason: str, finding_count: int | None = None) -> None:
    """Mark the running diagnosis as failed and post that in the thread, so that people stop waiting for it."""
    now = services.clock()
    with services.sessions.begin() as session:
        diagnosis = diagnoses.latest_diagnosis(session, incident_id)
        if diagnosis is None or diagnosis.status != "running":
            return
        diagnoses.conclude(
            session, diagnosis, status="failed", root_cause=None, suspect_commit=None, confidence=None, now=now
        )
        card = Card(title="The diagnosis failed", text=ours("It could not be finished: {reason}", reason=reason))
        channel = services.settings.slack_channel
        key = f"diagnosis:{diagnosis.id}"
        is_answer = finding_count is None
        enqueue_thread_message(session, incident_id, key=key, card=card, channel=channel, now=now, is_answer=is_answer)
        enqueue_refresh(session, incident_id, key=f"diagnosis:{diagnosis.id}", now=now)


def _is_outdated(services: Services, incident_id: int, finding_count: int) -> bool:
    """Whether the latest diagnosis names the commit already, or a later request with more findings is enqueued."""
    with services.readers() as session:
        latest = diagnoses.latest_diagnosis(session, incident_id)
        if latest is not None and latest.suspect_commit is not None:
            return True
        return len(incidents.get_incident(session, incident_id).findings) > finding_count


def enqueue_diagnosis(session: Session, incident: Incident, *, patience_seconds: float, now: datetime) -> None:
    """Enqueue a diagnosis of the incident's current findings, in the caller's transaction.

    Called whenever a finding joins the incident. Do nothing if the latest diagnosis names the commit already, or if the
    incident is neither open nor acknowledged. Without an endpoint among the findings the diagnosis is delayed by
    `patience_seconds`: the endpoint that broke a funnel may be found soon, and shows the cause better.
    """
    if not incident.status.awaits_people:
        return
    latest = diagnoses.latest_diagnosis(session, incident.id)
    if latest is not None and latest.suspect_commit is not None:
        return
    count = len(incident.findings)
    has_endpoint = any(record.subject["endpoint"] for record in incident.findings)
    outbox.enqueue(
        session,
        "diagnose",
        {"incident_id": incident.id, "finding_count": count},
        key=f"diagnose:{incident.id}:{count}",
        now=now,
        delay_seconds=0.0 if has_endpoint else patience_seconds,
    )


def diagnose_again(session: Session, incident: Incident, *, actor: str, now: datetime) -> None:
    """Start a new diagnosis at a person's request; a second click then finds it running.

    Raises RefusedError if a diagnosis is running, a fix is under way, or the incident is closed.
    """
    hold(session, incident)
    if incident.status.is_closed:
        raise RefusedError("The incident is closed already; there is nothing to diagnose.")
    if incident.status is IncidentStatus.MITIGATING:
        raise RefusedError("A fix is under way; the thread says how it goes.")
    latest = diagnoses.latest_diagnosis(session, incident.id)
    if latest is not None and latest.status == "running":
        raise RefusedError("A diagnosis is under way already; the thread tells what it finds.")
    begun = diagnoses.start_diagnosis(session, incident.id, now=now)
    outbox.enqueue(session, "diagnose", {"incident_id": incident.id}, key=f"diagnose:again:{begun.id}", now=now)
    text = "Asked for a new diagnosis."
    incidents.add_timeline(session, incident.id, kind="diagnosis", actor=actor, text=text, now=now)
    enqueue_refresh(session, incident.id, key=f"diagnosing:{begun.id}", now=now)


def _sources(services: Services) -> pipeline.DiagnosisSources:
    return pipeline.DiagnosisSources(
        sessions=services.sessions,
        telemetry=services.telemetry,
        code_host=services.code_host,
        clock=services.clock,
        service_repositories=services.settings.service_repositories,
    )


def diagnosis_card(diagnosis: Diagnosis) -> Card:
    """Return the card of a finished diagnosis: the explanation with its citations, and the evidence."""
    return Card(
        title="Diagnosis" if diagnosis.status == "concluded" else "Diagnosis: cause not known",
        text=lines(account(diagnosis)),
        sections=(lines([ours("**Evidence**"), bullets(evidence_lines(diagnosis))]),),
        context=ours("Worked out from measurements and code alone; no language model took part."),
    )
