"""A person requests a new diagnosis from the incident's message and gets its result."""

from __future__ import annotations

from typing import Any

import pytest

from detection.types import IncidentStatus
from integrations.errors import ConflictError, PermanentError, RejectedError
from storage import diagnoses, incidents
from storage.models import AuditEntry, Diagnosis, OutboxJob, Proposal
from tests.scenarios.workers.clicks.test_people_decide import click, fakes
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat, FakeCodeHost
from tests.scenarios.workers.incidents import diagnosed, offered, opened
from tests.scenarios.workers.worker import Clock, Worker, settle
from workers.diagnosis.request import AGAIN_SECONDS, enqueue_diagnosis
from workers.remediation.pull_requests import propose_fix
from workers.services import Services

FIX: dict[str, Any] = {
    "action": "revert_pull_request",
    "repository": "acme/shop",
    "service": "shop",
    "commit_shas": ["d" * 40],
}


def runs(services: Services) -> list[str]:
    with services.readers() as session:
        return [row.status for row in session.query(Diagnosis).order_by(Diagnosis.id)]


def asked(services: Services) -> list[OutboxJob]:
    with services.readers() as session:
        return [job for job in session.query(OutboxJob) if job.actor == "diagnose"]


def texts(chat: FakeChat) -> list[str]:
    return [posted.card.text for posted in chat.messages.values()]


def test_the_button_appears_once_a_diagnosis_is_finished_and_no_fix_waits(services: Services, worker: Worker) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    settle(worker)
    assert "diagnose_again" not in chat.buttons()
    diagnosed(services, incident_id)
    settle(worker)
    assert chat.buttons() == [
        "acknowledge",
        "diagnose_again",
        "create_ticket",
        "escalate",
        "snooze",
        "resolve",
        "false_alarm",
    ]
    offered(services, incident_id)
    settle(worker)
    assert chat.buttons()[0] == "approve_fix"
    assert "diagnose_again" not in chat.buttons()


@ON_BOTH
def test_a_click_diagnoses_again_and_the_message_says_so_meanwhile(services: Services, worker: Worker) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    diagnosed(services, incident_id)
    settle(worker)
    click(services, "diagnose_again", incident_id)
    assert runs(services) == ["concluded", "running"]
    assert [job.arguments for job in asked(services)] == [{"incident_id": incident_id}]
    settle(worker)
    assert runs(services)[1] != "running"
    assert [title for title in chat.thread_titles() if title.startswith("Diagnosis")]
    with services.readers() as session:
        entry = session.query(AuditEntry).one()
        timeline = [(item.actor, item.text) for item in incidents.get_incident(session, incident_id).timeline]
    assert (entry.event, entry.actor, entry.payload["incident_id"]) == ("diagnose_again", "Ana", incident_id)
    assert ("Ana", "Asked for a new diagnosis.") in timeline


@ON_BOTH
def test_two_clicks_start_one_diagnosis_and_the_second_person_is_told(services: Services) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    diagnosed(services, incident_id)
    click(services, "diagnose_again", incident_id, "Ana")
    click(services, "diagnose_again", incident_id, "Ben")
    assert len(asked(services)) == 1
    assert chat.ephemerals == [("UBEN", "A diagnosis is under way already; the thread tells what it finds.")]


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (IncidentStatus.RESOLVED, "The incident is closed already; there is nothing to diagnose."),
        (IncidentStatus.MITIGATING, "A fix is under way; the thread says how it goes."),
    ],
)
def test_an_outdated_button_is_refused_when_there_is_nothing_to_diagnose(
    services: Services, status: IncidentStatus, refusal: str
) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    diagnosed(services, incident_id)
    with services.sessions.begin() as session:
        incident = incidents.get_incident(session, incident_id)
        incidents.change_status(session, incident, status, actor="Ben", now=services.clock())
    click(services, "diagnose_again", incident_id)
    assert chat.ephemerals == [("UANA", refusal)]
    assert asked(services) == []


def test_a_requested_diagnosis_is_posted_while_the_incident_is_snoozed(services: Services, worker: Worker) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    diagnosed(services, incident_id)
    settle(worker)
    click(services, "snooze", incident_id)
    click(services, "diagnose_again", incident_id)
    settle(worker)
    assert [title for title in chat.thread_titles() if title.startswith("Diagnosis")]


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (ConflictError("GitHub", "somebody has changed the branch argux/x"), "GitHub: somebody has changed the branch"),
        (ConflictError("GitHub", "conflict", ("shop.py",)), "Later commits changed `shop.py`"),
        (RejectedError("GitHub", "main holds nothing of these commits any more"), "holds nothing of these commits"),
    ],
)
def test_a_fix_that_cannot_be_proposed_is_posted_with_the_reason(
    services: Services, worker: Worker, refusal: PermanentError, told: str
) -> None:
    chat, code_host = fakes(services)
    diagnosis_id = diagnosed(services, opened(services), fix=FIX)
    settle(worker)
    code_host.refusals.append(refusal)
    propose_fix(services, diagnosis_id)
    settle(worker)
    assert "No automatic revert" in chat.thread_titles()
    assert any(told in text for text in texts(chat))
    with services.readers() as session:
        assert session.query(Proposal).count() == 0
        assert diagnoses.get_diagnosis(session, diagnosis_id).status == "concluded"
    assert "diagnose_again" in chat.buttons()


def test_a_revert_that_is_merged_already_is_not_proposed_again(services: Services, worker: Worker) -> None:
    chat, code_host = fakes(services)
    assert isinstance(code_host, FakeCodeHost)
    diagnosis_id = diagnosed(services, opened(services), fix=FIX)
    settle(worker)
    code_host.merged_elsewhere_at = services.clock().timestamp()
    propose_fix(services, diagnosis_id)
    settle(worker)
    assert "approve_fix" not in chat.buttons()
    assert any("Pull request #7 reverts this, and is merged already." in text for text in texts(chat))


def test_a_clock_that_was_set_back_delays_no_diagnosis(services: Services, clock: Clock) -> None:
    incident_id = opened(services)
    clock.forward(3600)
    with services.sessions.begin() as session:
        diagnoses.start_diagnosis(session, incident_id, now=clock()).status = "inconclusive"
    clock.forward(-3590)
    with services.sessions.begin() as session:
        enqueue_diagnosis(session, incidents.get_incident(session, incident_id), patience_seconds=0.0, now=clock())
    (job,) = asked(services)
    assert (job.available_at - clock()).total_seconds() <= AGAIN_SECONDS
