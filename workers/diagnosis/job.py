"""Runs the diagnosis of an incident and tells what came out: in the thread, and as a fix to propose."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from integrations.cards import Card
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
    """Diagnose, or go on with a diagnosis that a restart broke off; safe to run again.

    finding_count: how many findings the incident had when detection asked for this; a later request, which knows
    more, makes an earlier one needless. None: a person asked.
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
    """The diagnosis could not be finished: say so, so that nobody waits for it."""
    now = services.clock()
    with services.sessions.begin() as session:
        diagnosis = diagnoses.latest_diagnosis(session, incident_id)
        if diagnosis is None or diagnosis.status != "running":
            return
        diagnoses.conclude(
            session, diagnosis, status="failed", root_cause=None, suspect_commit=None, confidence=None, now=now
        )
        card = Card(title="The diagnosis failed", text=f"It could not be finished: {reason}")
        channel = services.settings.slack_channel
        key = f"diagnosis:{diagnosis.id}"
        is_answer = finding_count is None
        enqueue_thread_message(session, incident_id, key=key, card=card, channel=channel, now=now, is_answer=is_answer)
        enqueue_refresh(session, incident_id, key=f"diagnosis:{diagnosis.id}", now=now)


def _is_outdated(services: Services, incident_id: int, finding_count: int) -> bool:
    """Another will look with more findings, or one that ran meanwhile has found the commit."""
    with services.readers() as session:
        latest = diagnoses.latest_diagnosis(session, incident_id)
        if latest is not None and latest.suspect_commit is not None:
            return True
        return len(incidents.get_incident(session, incident_id).findings) > finding_count


def ask_for_diagnosis(session: Session, incident: Incident, *, patience_seconds: float, now: datetime) -> None:
    """Have the incident diagnosed as its findings now stand, unless that is known to the commit or a fix is under way.

    Called whenever a finding joins. A funnel alone says less than a funnel and the endpoint that broke it, so it waits
    `patience_seconds` for company.
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
    """A person wants a new diagnosis: begin it, so that a second click finds it under way.

    RefusedError where one runs already, a fix is under way, or the incident is closed.
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
    """The account with its citations, and the evidence they point at."""
    return Card(
        title="Diagnosis" if diagnosis.status == "concluded" else "Diagnosis: cause not known",
        text="\n".join(account(diagnosis)),
        sections=("**Evidence**\n" + "\n".join(f"- {line}" for line in evidence_lines(diagnosis)),),
        context="Worked out from measurements and code alone; no language model took part.",
    )
