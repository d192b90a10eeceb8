from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from sqlalchemy import delete

from detection.types import IncidentStatus
from integrations.cards import moment
from integrations.errors import NotFoundError, RejectedError
from integrations.protocols import ChannelUser, Standing
from storage import audit, incidents, proposals
from storage.audit_tables import disagreements
from storage.models import AuditEntry
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat, FakeCodeHost, FakeEscalation, FakeTickets
from tests.scenarios.workers.incidents import diagnosed, offered, opened, place_of
from tests.scenarios.workers.worker import Clock, Worker, settle
from workers.clicks.buttons import handle_click
from workers.clicks.submissions import handle_submission
from workers.services import Services

TRIGGERS = count(1)


def click(services: Services, action_id: str, value: int, user: str = "Ana", trigger_id: str = "") -> None:
    handle_click(
        services, action_id=action_id, value=str(value), user_id=f"U{user.upper()}", user_name=user,
        trigger_id=trigger_id or f"trigger {next(TRIGGERS)}", **place_of(services, action_id, value),
    )  # fmt: skip


def submit(services: Services, user: str = "Ana") -> None:
    assert isinstance(services.chat, FakeChat)
    handle_submission(
        services, callback_id="confirm_approval", value=services.chat.modals[-1].value, user_id=f"U{user.upper()}",
        user_name=user, view_id="V1",
    )  # fmt: skip


def close(services: Services, action_id: str, value: int, user: str = "Ana", reason: str = "a test") -> None:
    """Press Resolve or False alarm, and submit the dialog if one opened."""
    assert isinstance(services.chat, FakeChat)
    before = len(services.chat.modals)
    click(services, action_id, value, user)
    for modal in services.chat.modals[before:]:
        handle_submission(
            services, callback_id=modal.callback_id, value=modal.value, user_id=f"U{user.upper()}", user_name=user,
            view_id="V1", answers={"reason": reason},
        )  # fmt: skip


def fakes(services: Services) -> tuple[FakeChat, FakeCodeHost]:
    assert isinstance(services.chat, FakeChat)
    assert isinstance(services.code_host, FakeCodeHost)
    return services.chat, services.code_host


def status(services: Services, incident_id: int) -> IncidentStatus:
    with services.readers() as session:
        return incidents.get_incident(session, incident_id).status


@ON_BOTH
def test_approve_shows_the_diff_and_the_head_and_merges_only_after_the_dialog(
    services: Services, worker: Worker
) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    worker.run_all()
    click(services, "approve_fix", proposal_id)
    modal = chat.modals[0]
    assert "+good" in modal.code
    assert ("Head SHA", "`" + "a" * 40 + "`") in modal.fields
    worker.run_all()
    assert code_host.merges == 0
    submit(services)
    worker.run_all()
    assert code_host.merges == 1
    assert status(services, incident_id) == IncidentStatus.MITIGATING
    assert "approve_fix" not in chat.buttons()
    assert "Fix merged" in chat.thread_titles()


@ON_BOTH
def test_a_second_approval_changes_nothing_and_names_the_approver(services: Services, worker: Worker) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    approved_at = moment(services.clock().timestamp())
    for user in ("Ana", "Ben"):
        click(services, "approve_fix", proposal_id, user)
    for user, modal in zip(("Ana", "Ben"), list(chat.modals), strict=True):
        handle_submission(
            services, callback_id=modal.callback_id, value=modal.value, user_id=f"U{user.upper()}", user_name=user,
            view_id="V1",
        )  # fmt: skip
    click(services, "approve_fix", proposal_id, "Ben")
    worker.run_all()
    assert code_host.merges == 1
    refusals = [text for user, text in chat.ephemerals if user == "UBEN"]
    assert len(refusals) == 2
    assert set(refusals) == {f"Ana approved this already at {approved_at}. Nothing more was done."}


def test_an_approval_missing_from_the_audit_chain_is_noticed(services: Services) -> None:
    proposal_id = offered(services, opened(services))
    click(services, "approve_fix", proposal_id)
    submit(services)
    with services.sessions.begin() as session:
        assert disagreements(session) == []
        session.execute(delete(AuditEntry).where(AuditEntry.event == audit.APPROVED))
        assert audit.verify(session, key=services.audit_key).ok
        cut_off = f"The chain says nothing of the approval of proposal {proposal_id}: its end was cut off"
        assert any(line.startswith(cut_off) for line in disagreements(session))


def test_approving_a_head_that_moved_merges_nothing_and_says_so(services: Services, worker: Worker) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    worker.run_all()
    click(services, "approve_fix", proposal_id)
    code_host.head_sha = "e" * 40
    submit(services)
    worker.run_all()
    assert code_host.merges == 0
    assert status(services, incident_id) == IncidentStatus.OPEN
    assert "The fix was not merged" in chat.thread_titles()


@pytest.mark.parametrize(
    ("state", "head_sha", "reason"),
    [("open", "e" * 40, "changed since Argux proposed it"), ("closed", "a" * 40, "was closed without being merged")],
)
def test_a_proposal_whose_pull_request_changed_is_withdrawn_and_a_new_diagnosis_offered(
    services: Services, worker: Worker, state: str, head_sha: str, reason: str
) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    diagnosed(services, incident_id)
    proposal_id = offered(services, incident_id)
    code_host.head_sha, code_host.state = head_sha, state
    click(services, "approve_fix", proposal_id)
    assert chat.ephemerals[-1][1].startswith(f"Pull request #7 {reason}; nothing was merged.")
    settle(worker)
    assert "approve_fix" not in chat.buttons()
    assert "diagnose_again" in chat.buttons()
    click(services, "approve_fix", proposal_id)
    assert len(chat.modals) == 0


def test_the_dialog_says_that_the_pull_request_is_merged_already(services: Services) -> None:
    chat, code_host = fakes(services)
    proposal_id = offered(services, opened(services))
    code_host.merged_elsewhere_at = services.clock().timestamp()
    click(services, "approve_fix", proposal_id)
    assert chat.modals[0].sections[-1].startswith("Somebody has merged this already")
    assert chat.modals[0].submit_label == "Approve and verify"


def test_only_named_approvers_may_approve(services: Services) -> None:
    chat, _ = fakes(services)
    services.settings = services.settings.model_copy(update={"approver_ids": ["UBEN"]})
    click(services, "approve_fix", offered(services, opened(services)))
    assert chat.modals == []
    assert chat.ephemerals == [("UANA", "Only Ben may approve fixes here.")]


@pytest.mark.parametrize(
    ("approvers", "named"),
    [
        (["UBEN", "UCLEO", "UDANA"], "Ben, Cleo and Dana"),
        (["UBEN", *(f"U{number}" for number in range(8))], "Ben, 0, 1, 2, 3 and 4 others"),
    ],
)
def test_many_approvers_are_listed_in_a_short_text(services: Services, approvers: list[str], named: str) -> None:
    chat, _ = fakes(services)
    services.settings = services.settings.model_copy(update={"approver_ids": approvers})
    click(services, "approve_fix", offered(services, opened(services)))
    assert chat.ephemerals == [("UANA", f"Only {named} may approve fixes here.")]


def test_approvers_unknown_to_the_channel_are_never_shown_as_ids(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(self: FakeChat, user_id: str) -> ChannelUser:
        if user_id == "UBEN":
            raise NotFoundError("Slack", "user_not_found")
        return ChannelUser(user_id, "Ana", "UTC", Standing.MEMBER)

    monkeypatch.setattr(FakeChat, "user", unknown)
    services.settings = services.settings.model_copy(update={"approver_ids": ["UBEN"]})
    chat, _ = fakes(services)
    click(services, "approve_fix", offered(services, opened(services)))
    assert chat.ephemerals == [("UANA", "Only the people chosen for it may approve fixes here.")]


@pytest.mark.parametrize("role_is_lost_after", ["the dialog opened"])
def test_the_role_is_checked_again_when_the_dialog_is_submitted(
    services: Services, worker: Worker, role_is_lost_after: str
) -> None:
    chat, code_host = fakes(services)
    click(services, "approve_fix", offered(services, opened(services)))
    services.settings = services.settings.model_copy(update={"approver_ids": ["UBEN"]})
    submit(services)
    worker.run_all()
    assert code_host.merges == 0
    assert "may approve fixes" in chat.ephemerals[-1][1]


def test_an_expired_proposal_cannot_be_approved_and_its_button_is_replaced_by_diagnose_again(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    diagnosed(services, incident_id)
    proposal_id = offered(services, incident_id)
    settle(worker)
    assert "diagnose_again" not in chat.buttons()
    clock.forward(5 * 3600)
    click(services, "approve_fix", proposal_id)
    assert "expired. Press Diagnose again" in chat.ephemerals[-1][1]
    settle(worker)
    assert "approve_fix" not in chat.buttons()
    assert "diagnose_again" in chat.buttons()


def test_a_dialog_that_slack_refuses_is_explained(services: Services) -> None:
    chat, _ = fakes(services)
    chat.failures.append(RejectedError("Slack", "expired_trigger_id"))
    click(services, "approve_fix", offered(services, opened(services)))
    assert "Press Approve fix again" in chat.ephemerals[-1][1]


def test_a_second_acknowledgement_names_who_acknowledged_first(services: Services, worker: Worker) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    click(services, "acknowledge", incident_id, "Ana")
    click(services, "acknowledge", incident_id, "Ben")
    worker.run_all()
    assert chat.ephemerals == [("UBEN", "Ana is on it already.")]
    assert ("On it", "Ana") in chat.root().card.fields


@ON_BOTH
def test_two_requests_for_a_ticket_create_one(services: Services, worker: Worker) -> None:
    chat, _ = fakes(services)
    assert isinstance(services.tickets, FakeTickets)
    incident_id = opened(services)
    click(services, "create_ticket", incident_id, "Ana")
    click(services, "create_ticket", incident_id, "Ben")
    worker.run_all()
    assert list(services.tickets.made) == [f"incident-{incident_id}"]
    assert ("Ticket", "[SHOP-1](https://tickets.example/SHOP-1)") in chat.root().card.fields
    click(services, "create_ticket", incident_id, "Ben")
    assert chat.ephemerals[-1][1].startswith("The ticket is there already: SHOP-1")


def test_escalating_posts_the_card_without_buttons_and_only_once(services: Services, worker: Worker) -> None:
    assert isinstance(services.escalation, FakeEscalation)
    incident_id = opened(services)
    click(services, "escalate", incident_id, "Ana")
    worker.run_all()
    click(services, "escalate", incident_id, "Ben")
    worker.run_all()
    (card,) = services.escalation.cards
    assert card.actions == ()
    assert ("Escalated by", "Ana") in card.fields


@pytest.mark.parametrize(("action_id", "value"), [("launch", 1), ("resolve", 99)])
def test_an_unknown_button_or_incident_is_refused_privately(services: Services, action_id: str, value: int) -> None:
    chat, _ = fakes(services)
    click(services, action_id, value)
    assert len(chat.ephemerals) == 1


@ON_BOTH
def test_every_decision_is_in_the_audit_chain_and_the_chain_verifies(services: Services, worker: Worker) -> None:
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    click(services, "acknowledge", incident_id)
    click(services, "approve_fix", proposal_id)
    submit(services)
    worker.run_all()
    with services.readers() as session:
        report = audit.verify(session, key=services.audit_key)
        events = [entry.event for entry in session.query(AuditEntry)]
        proposal: Any = proposals.get_proposal(session, proposal_id)
    assert report.ok
    assert events == ["acknowledge", "proposal_approved", "action_done"]
    assert proposal.status == "done"
