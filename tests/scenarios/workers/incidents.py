"""Create incidents at the stage that a test needs: opened, diagnosed, with a proposal."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.chain import Chain, ChainLink
from detection.types import Finding, Metric, Severity, Subject
from integrations.cards import Card, Modal
from storage import deliveries, diagnoses, incidents, proposals
from storage.models import Delivery, Diagnosis, Incident, Proposal
from workers.clicks.buttons import DIAGNOSIS_BUTTONS, JOB_BUTTONS
from workers.diagnosis.model import Verdict
from workers.diagnosis.pipeline import CONFIRM
from workers.diagnosis.steps.fix import REVERT_PULL_REQUEST
from workers.remediation.catalogue import RevertPullRequest, describe_revert
from workers.services import Services
from workers.telling.enqueue import enqueue_refresh, enqueue_thread_message, thread_key
from workers.telling.sealed_values import seal
from workers.triage.answer import SHOULD_HAVE_WOKEN
from workers.triage.digest import LISTED, PURPOSE

ENDPOINT = Subject(kind="endpoint", name="POST /checkout", service="shop", endpoint="POST /checkout")


def slow_checkout(onset_at: float) -> Finding:
    return Finding(
        detector="endpoint_latency", metric=Metric.LATENCY_P95, subject=ENDPOINT,
        observed=1020.0, expected=60.0, expected_low=50.0, expected_high=75.0, sample_size=200, score=12.0,
        p_value=1e-9, window_start=onset_at, window_end=onset_at + 30, onset_at=onset_at,
    )  # fmt: skip


def place_of(services: Services, action_id: str, value: object) -> dict[str, str]:
    """Return the channel and id of the message with this button; of one that nobody has stored if none is posted."""
    with services.readers() as session:
        if action_id in JOB_BUTTONS:
            message = deliveries.newest(session, "jobs")
        elif action_id in DIAGNOSIS_BUTTONS:
            diagnosis = session.get(Diagnosis, int(str(value)))
            key = thread_key(diagnosis.incident_id, f"diagnosis:{diagnosis.id}") if diagnosis is not None else ""
            message = session.scalars(select(Delivery).where(Delivery.key == key)).one_or_none()
        elif action_id == SHOULD_HAVE_WOKEN:
            digests = session.scalars(select(Delivery).where(Delivery.purpose == PURPOSE))
            message = next((one for one in digests if int(str(value)) in one.content[LISTED]), None)
        elif action_id == "approve_fix":
            proposal = session.get(Proposal, int(str(value)))
            message = deliveries.root_delivery(session, proposal.incident_id) if proposal is not None else None
        else:
            message = deliveries.root_delivery(session, int(str(value)))
        if message is None or message.message_id is None:
            return {"channel": "C1", "message_ts": "just posted"}
        return {
            "channel": message.channel, "message_ts": message.content.get(deliveries.SHOWN_IN, message.message_id),
        }  # fmt: skip


def sealed(services: Services, callback_id: str, value: str, user_id: str) -> str:
    """Return what a dialog brings back that was opened for this person with this value."""
    modal = Modal(callback_id=callback_id, title="", submit_label="", value=value)
    return seal(services, modal, user_id).value


def slow_checkout_incident(session: Session, now: datetime) -> Incident:
    """Store an open incident with one finding, of which nobody is told yet."""
    incident = incidents.open_incident(
        session, title="POST /checkout is slow", severity=Severity.SEV2, service="shop",
        onset_at=now - timedelta(seconds=40), now=now,
    )  # fmt: skip
    incidents.record_finding(session, incident, slow_checkout(now.timestamp() - 40), now=now)
    return incident


def opened(services: Services) -> int:
    """Open an incident with one finding and enqueue its root message; return its id."""
    now = services.clock()
    with services.sessions.begin() as session:
        incident = slow_checkout_incident(session, now)
        enqueue_refresh(session, incident.id, key=f"opened:{incident.id}", now=now)
        return incident.id


def diagnosed(services: Services, incident_id: int, *, fix: dict[str, Any] | None = None) -> int:
    """Store a concluded diagnosis, optionally with a fix; return its id."""
    now = services.clock()
    with services.sessions.begin() as session:
        diagnosis = diagnoses.start_diagnosis(session, incident_id, now=now)
        if fix is not None:
            diagnoses.save_checkpoint(session, diagnosis, "confirm", {"suspect": None})
            diagnoses.save_checkpoint(session, diagnosis, "fix", fix)
        diagnoses.conclude(
            session, diagnosis, status="concluded", root_cause="A deploy", suspect_commit="d" * 40, confidence=0.9,
            now=now,
        )  # fmt: skip
        enqueue_refresh(session, incident_id, key=f"diagnosed:{diagnosis.id}", now=now)
        return diagnosis.id


def spread(services: Services, incident_id: int, *links: tuple[str, str]) -> int:
    """Store a concluded diagnosis whose failure spread along (cause, victim) links; return its id."""
    chain = Chain(
        links[0][0], tuple(ChainLink(cause, victim, "it calls it") for cause, victim in links),
        tuple(victim for _, victim in links), (), 0.9, (),
    )  # fmt: skip
    verdict = Verdict("concluded", (), "commit", None, 0.0, 0.9, None, (), chain=chain)
    diagnosis_id = diagnosed(services, incident_id)
    with services.sessions.begin() as session:
        diagnosis = diagnoses.get_diagnosis(session, diagnosis_id)
        diagnoses.save_checkpoint(session, diagnosis, "confirm", CONFIRM.codec.dump_python(verdict, mode="json"))
    return diagnosis_id


def revert_proposal(
    session: Session, incident_id: int, now: datetime, *, head_sha: str = "a" * 40, diagnosis_id: int | None = None
) -> Proposal:
    """Store the proposal to merge a revert, of which nobody is told yet."""
    plan = RevertPullRequest(
        repository="acme/shop", number=7, head_sha=head_sha, url="https://code.example/pull/7", service="shop",
        commit_shas=("d" * 40,),
    )  # fmt: skip
    description = describe_revert(plan)
    return proposals.create_proposal(
        session, incident_id=incident_id, diagnosis_id=diagnosis_id, action=REVERT_PULL_REQUEST,
        title=description.title, parameters=plan.model_dump(mode="json"), risk=description.risk,
        blast_radius=description.blast_radius, verified_by=description.verified_by, undone_by=description.undone_by,
        now=now, expires_at=now + timedelta(hours=4),
    )  # fmt: skip


def offered(services: Services, incident_id: int, head_sha: str = "a" * 40) -> int:
    """Propose a revert for the incident; return the proposal's id."""
    now = services.clock()
    with services.sessions.begin() as session:
        proposal = revert_proposal(session, incident_id, now, head_sha=head_sha)
        enqueue_refresh(session, incident_id, key=f"offered:{proposal.id}", now=now)
        return proposal.id


def say(services: Services, incident_id: int, *titles: str) -> None:
    """Enqueue messages with these titles for the incident's thread."""
    with services.sessions.begin() as session:
        for title in titles:
            card = Card(title=title)
            enqueue_thread_message(session, incident_id, key=title, card=card, channel="C1", now=services.clock())
