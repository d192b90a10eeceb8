"""Run the diagnosis of an incident, post its result in the thread, and enqueue the proposal of a fix."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from detection.types import IncidentStatus
from integrations.cards import Card, CardAction
from integrations.protocols import CodeHost
from integrations.text import Markup, bullets, lines, ours, stored
from storage import diagnoses, incidents, outbox
from storage.database.reading import one_by_itself
from storage.database.rows import hold
from storage.models import Diagnosis, Incident
from workers.diagnosis import pipeline
from workers.diagnosis.account import account, evidence_lines
from workers.diagnosis.chain_message import is_worth_a_picture
from workers.diagnosis.model import FixPlan
from workers.diagnosis.request import is_covered
from workers.errors import NotConfiguredError, RefusedError
from workers.locks import one_at_a_time
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message
from workers.words.spread import spread
from workers.words.sureness import sure_fields
from workers.words.text import quoted

OVERDUE = timedelta(minutes=30)
"""How long a diagnosis may run, with all its retries, before people are told not to wait for it."""

CAUSE_RIGHT, CAUSE_WRONG = "cause_right", "cause_wrong"
"""The buttons under a diagnosis; their value is its id."""

LONGEST_REASON = 600

AGAIN = "Press Diagnose again on the incident's message when that is mended."


def diagnose(services: Services, incident_id: int, is_asked: bool = True) -> None:
    """Diagnose an incident, or resume a diagnosis that a restart interrupted. Idempotent.

    is_asked: a person asked for it. Otherwise it is skipped if the latest diagnosis covers all findings.
    """
    if not is_asked and _is_covered(services, incident_id):
        return

    def tell(session: Session, diagnosis: Diagnosis, fix: FixPlan) -> None:
        _tell(services, session, diagnosis, fix, is_answer=is_asked)

    with one_at_a_time(services, f"diagnosis:{incident_id}"):
        pipeline.run(incident_id, sources_of(services), tell)


def _tell(services: Services, session: Session, diagnosis: Diagnosis, fix: FixPlan, *, is_answer: bool) -> None:
    """Enqueue the result and the fix that it calls for, and end the job, all in the diagnosis's last transaction."""
    now = services.clock()
    incident_id = diagnosis.incident_id
    text = diagnosis.root_cause or "The cause is not known."
    incidents.add_timeline(session, incident_id, kind="diagnosed", actor="Argux", text=text, now=now)
    enqueue_thread_message(
        session,
        incident_id,
        key=f"diagnosis:{diagnosis.id}",
        card=diagnosis_card(diagnosis, fix),
        channel=services.settings.slack_channel,
        now=now,
        is_answer=is_answer,
    )
    enqueue_refresh(session, incident_id, key=f"diagnosis:{diagnosis.id}", now=now)
    verdict = pipeline.verdict_of(diagnosis)
    if verdict is not None and is_worth_a_picture(verdict.chain):
        drawing = {"diagnosis_id": diagnosis.id, "since": now.timestamp(), "is_answer": is_answer}
        outbox.enqueue(session, "draw_chain", drawing, key=f"chain:{diagnosis.id}", now=now)
    if diagnosis.status == "concluded" and fix.action:
        arguments = {"diagnosis_id": diagnosis.id, "is_answer": is_answer}
        outbox.enqueue(session, "propose_fix", arguments, key=f"propose:{diagnosis.id}", now=now)
    outbox.finish_running(session, now)


def diagnosis_given_up(services: Services, incident_id: int, reason: str, is_asked: bool = True) -> None:
    """Mark the diagnosis as failed and post that in the thread, so that people stop waiting for it.

    One that could not even start counts as well, unless detection asked for it and the incident has another.
    """
    now = services.clock()
    with services.sessions.begin() as session:
        latest = diagnoses.latest_diagnosis(session, incident_id)
        if latest is not None and latest.status != "running" and not is_asked:
            return
        diagnosis = diagnoses.start_diagnosis(session, incident_id, now=now)
        diagnoses.conclude(
            session, diagnosis, status="failed", root_cause=None, suspect_commit=None, confidence=None, now=now
        )
        text = ours("It could not be finished: {reason}. {again}", reason=reason, again=AGAIN)
        card = Card(title="The diagnosis failed", text=text)
        channel = services.settings.slack_channel
        key = f"diagnosis:{diagnosis.id}"
        enqueue_thread_message(session, incident_id, key=key, card=card, channel=channel, now=now, is_answer=is_asked)
        enqueue_refresh(session, incident_id, key=f"diagnosis:{diagnosis.id}", now=now)
        outbox.finish_running(session, now)


def give_up_overdue(services: Services) -> None:
    """Give up the diagnoses that have run for OVERDUE, such as those whose job was lost, so that nobody waits on."""
    with services.readers() as session:
        incident_ids = diagnoses.running_since(session, services.clock() - OVERDUE)
    for incident_id in incident_ids:
        minutes = OVERDUE.total_seconds() / 60
        with one_by_itself(f"giving up the diagnosis of incident #{incident_id}"):
            diagnosis_given_up(services, incident_id, f"it has not ended in {minutes:.0f} minutes")


def _is_covered(services: Services, incident_id: int) -> bool:
    with services.readers() as session:
        latest = diagnoses.latest_diagnosis(session, incident_id)
        return is_covered(incidents.get_incident(session, incident_id), latest)


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


def sources_of(services: Services) -> pipeline.DiagnosisSources:
    """Return what a diagnosis may ask. A code host that is not set up is left out, and the diagnosis says so."""
    code_host: CodeHost | None = None
    no_code_host = ""
    try:
        code_host = services.code_host
    except NotConfiguredError as error:
        no_code_host = str(error)
    return pipeline.DiagnosisSources(
        sessions=services.sessions,
        telemetry=services.telemetry,
        code_host=code_host,
        no_code_host=no_code_host,
        clock=services.clock,
        service_repositories=services.settings.service_repositories,
        status_feeds=tuple(services.settings.status_feeds),
    )


def diagnosis_card(diagnosis: Diagnosis, fix: FixPlan | None = None) -> Card:
    """Return the card of a finished diagnosis: the explanation, the evidence, the coverage, Right and Wrong.

    fix: what to do about it; it is told where no button offers it.
    """
    return Card(
        title="Diagnosis" if diagnosis.status == "concluded" else "Diagnosis: cause not known",
        text=lines([*_spread(diagnosis), *account(diagnosis), *_what_to_do(fix)]),
        fields=sure_fields(diagnosis),
        sections=(lines([ours("**Evidence**"), bullets(evidence_lines(diagnosis))]), *_coverage(diagnosis)),
        actions=verdict_buttons(diagnosis),
        context=ours("Worked out from measurements and code alone; no language model took part."),
    )


def verdict_buttons(diagnosis: Diagnosis) -> tuple[CardAction, ...]:
    """Return the buttons by which people say whether the named cause was right; none if no cause is named."""
    if diagnosis.status != "concluded":
        return ()
    subject = str(diagnosis.id)
    return (CardAction(CAUSE_RIGHT, "Right", subject), CardAction(CAUSE_WRONG, "Wrong", subject))


def _spread(diagnosis: Diagnosis) -> Iterator[Markup]:
    """Yield the chain as one line: what failed first, and who was dragged along."""
    if line := spread(diagnosis):
        yield ours("**{chain}**", chain=line)


def _what_to_do(fix: FixPlan | None) -> Iterator[Markup]:
    if fix is not None and fix.says_what_to_do:
        yield ours("What to do: {reason}", reason=quoted(fix.reason, LONGEST_REASON))


def _coverage(diagnosis: Diagnosis) -> Iterator[Markup]:
    verdict = pipeline.verdict_of(diagnosis)
    if verdict is not None and verdict.coverage:
        yield stored(verdict.coverage)
