"""`argux audit verify` finds what was changed past the chain, and the chain's head leaves the database each day."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from detection.types import IncidentStatus
from integrations.errors import RejectedError
from storage import audit
from storage.audit_tables import disagreements
from storage.models import Action, Approval, AuditEntry, Incident, Proposal, Verification
from tests.scenarios.workers.clicks.test_people_decide import click, close, fakes, submit
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat
from tests.scenarios.workers.incidents import offered, opened
from tests.scenarios.workers.worker import Clock, Worker, settle
from workers.running.housekeeping import expire
from workers.services import Services

pytestmark = ON_BOTH


def carried_out(services: Services, worker: Worker) -> int:
    """Approve and merge a fix, and close its incident; return the incident's id."""
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    settle(worker)
    close(services, "resolve", incident_id)
    return incident_id


def found(services: Services) -> Sequence[str]:
    with services.snapshots() as session:
        assert audit.verify(session, key=services.audit_key).ok
        return disagreements(session)


def test_what_argux_did_itself_agrees_with_the_chain(services: Services, worker: Worker) -> None:
    carried_out(services, worker)
    other = opened(services)
    close(services, "false_alarm", other)
    assert found(services) == []


def decider(session: Session) -> None:
    session.execute(update(Approval).values(decided_by="Mallory"))


def decider_id(session: Session) -> None:
    session.execute(update(Approval).values(decided_by_id="UMAL"))


def decision(session: Session) -> None:
    session.execute(update(Approval).values(decision="rejected"))


def content(session: Session) -> None:
    session.execute(update(Proposal).values(parameters={"repository": "acme/bank"}))


def target(session: Session) -> None:
    session.execute(update(Approval).values(content_hash="0" * 64))


def no_action(session: Session) -> None:
    session.execute(delete(Verification))
    session.execute(delete(Action))


def other_outcome(session: Session) -> None:
    session.execute(update(Action).values(status="failed"))


def no_closing(session: Session) -> None:
    session.execute(update(Incident).values(status=IncidentStatus.OPEN, closed_at=None, closed_by=None))


def other_closer(session: Session) -> None:
    session.execute(update(Incident).values(closed_by="Mallory"))


def no_approvals(session: Session) -> None:
    session.execute(delete(Approval))


def forged_closing(session: Session) -> None:
    session.execute(delete(AuditEntry).where(AuditEntry.event == "resolve"))


@pytest.mark.parametrize(
    ("tamper", "words"),
    [
        (decider, "stored as that of Mallory; the chain says Ana"),
        (decider_id, "the chain says Ana"),
        (decision, "stored as “rejected”"),
        (content, "something else than what Ana approved"),
        (target, "something else than what Ana approved"),
        (no_action, "records 1 actions, and the table lacks 1"),
        (other_outcome, "stored as failed; the chain says that it is done"),
        (no_closing, "stored as open; the chain says that Ana closed it"),
        (other_closer, "stored as closed by Mallory; the chain says Ana"),
        (no_approvals, "records 1 approvals, and the table lacks 1"),
        (forged_closing, "the chain has no closing of it"),
    ],
)
def test_what_was_changed_past_the_chain_is_found(
    services: Services, worker: Worker, tamper: Callable[[Session], None], words: str
) -> None:
    carried_out(services, worker)
    with services.sessions.begin() as session:
        tamper(session)
    assert any(words in line for line in found(services))


def heads(chat: FakeChat) -> list[str]:
    return [item.card.text for item in chat.messages.values() if item.card.title.startswith("Audit chain")]


def test_the_head_of_the_chain_goes_to_the_log_once_a_day(services: Services, worker: Worker, clock: Clock) -> None:
    chat, _ = fakes(services)
    carried_out(services, worker)
    told = []
    for _ in range(6):
        with capture_logs() as lines:
            expire(services)
        told += [line for line in lines if line["event"] == "audit_head"]
        clock.forward(8 * 3600)
    assert len(told) == 3
    assert told[0]["length"] == 3
    assert told[0]["log_level"] == "info"
    assert heads(chat) == []


def test_the_head_is_posted_to_the_audit_channel_once_a_day_and_again_where_that_failed(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, _ = fakes(services)
    services.settings = services.settings.model_copy(update={"audit_channel": "#audit"})
    carried_out(services, worker)
    settle(worker)
    chat.failures.append(RejectedError("Slack", "not_in_channel"))
    for _ in range(3):
        expire(services)
    assert len(heads(chat)) == 1
    with services.readers() as session:
        assert audit.verify(session, key=services.audit_key).head in heads(chat)[0]
    clock.forward(86_400)
    expire(services)
    assert len(heads(chat)) == 2


def test_a_table_that_disagrees_is_posted_too(services: Services, worker: Worker) -> None:
    chat, _ = fakes(services)
    services.settings = services.settings.model_copy(update={"audit_channel": "#audit"})
    carried_out(services, worker)
    settle(worker)
    with services.sessions.begin() as session:
        decider(session)
    with capture_logs() as lines:
        expire(services)
    assert "Mallory" in heads(chat)[0]
    assert any(line["event"] == "audit_head" and line["log_level"] == "error" for line in lines)
