"""Runs the diagnosis of an incident and tells what came out: in the thread, and as a fix to propose."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integrations.cards import Card
from storage import diagnoses, incidents, outbox
from storage.models import Diagnosis
from workers.diagnosis import pipeline
from workers.diagnosis.account import account, evidence_lines
from workers.notifications import changed, tell_thread
from workers.services import Services


def diagnose(services: Services, incident_id: int) -> None:
    """Diagnose, or go on with a diagnosis that a restart broke off; safe to run again."""
    outcome = pipeline.run(incident_id, _sources(services))
    now = services.clock()
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
        tell_thread(
            session,
            incident_id,
            key=f"diagnosis:{diagnosis.id}",
            card=diagnosis_card(diagnosis),
            channel=services.settings.slack_channel,
            now=now,
        )
        changed(session, incident_id, key=f"diagnosis:{diagnosis.id}", now=now)
        _ask_for_fix(session, diagnosis, now)


def _sources(services: Services) -> pipeline.DiagnosisSources:
    return pipeline.DiagnosisSources(
        sessions=services.sessions,
        telemetry=services.telemetry,
        code_host=services.code_host,
        timezone=services.settings.timezone,
        clock=services.clock,
        service_repositories=services.settings.service_repositories,
    )


def _ask_for_fix(session: Session, diagnosis: Diagnosis, now: datetime) -> None:
    if diagnosis.status == "concluded" and diagnosis.checkpoints["fix"].get("action"):
        arguments = {"diagnosis_id": diagnosis.id}
        outbox.enqueue(session, "propose_fix", arguments, key=f"propose:{diagnosis.id}", now=now)


def diagnosis_card(diagnosis: Diagnosis) -> Card:
    """The account with its citations, and the evidence they point at."""
    return Card(
        title="Diagnosis" if diagnosis.status == "concluded" else "Diagnosis: cause not known",
        text="\n".join(account(diagnosis)),
        sections=("**Evidence**\n" + "\n".join(f"- {line}" for line in evidence_lines(diagnosis)),),
        context="Worked out from measurements and code alone; no language model took part.",
    )
