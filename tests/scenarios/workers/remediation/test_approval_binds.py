"""An approval binds everything that decides what the click does; what has moved since voids it, and is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from detection.types import IncidentStatus
from integrations.errors import RetryableError
from storage import audit, incidents
from storage.models import Action, Approval, AuditEntry, OutboxJob, Proposal
from tests.scenarios.workers.clicks.test_people_decide import click, fakes, status, submit
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat, FakeCodeHost
from tests.scenarios.workers.incidents import offered, opened, slow_checkout
from tests.scenarios.workers.worker import Clock, Worker, settle
from workers.clicks.submissions import handle_submission
from workers.services import Services


def shown(services: Services, worker: Worker) -> tuple[int, FakeChat, FakeCodeHost]:
    """Offer a fix and open its dialog; return the incident's id and the fakes."""
    chat, code_host = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    settle(worker)
    click(services, "approve_fix", proposal_id)
    return incident_id, chat, code_host


def said(chat: FakeChat) -> str:
    posted = [item.card.text for item in chat.messages.values() if item.card.title == "The fix was not merged"]
    return "\n".join([*posted, *(text for _, text in chat.ephemerals)])


def another_finding(services: Services, incident_id: int) -> None:
    now = services.clock()
    finding = slow_checkout(now.timestamp() - 30)
    other = replace(finding, subject=replace(finding.subject, name="GET /cart", endpoint="GET /cart"))
    with services.sessions.begin() as session:
        incidents.record_finding(session, incidents.get_incident(session, incident_id), other, now=now)


def altered(**changes: Any) -> Callable[[Services], None]:
    """Return a change of the stored parameters, made past Argux."""

    def change(services: Services) -> None:
        with services.sessions.begin() as session:
            proposal = session.scalars(select(Proposal)).one()
            session.execute(update(Proposal).values(parameters={**proposal.parameters, **changes}))

    return change


def retargeted(services: Services) -> None:
    other = opened(services)
    with services.sessions.begin() as session:
        session.execute(update(Proposal).values(incident_id=other))


STORED = {
    "repository": altered(repository="acme/bank"),
    "number": altered(number=8),
    "head": altered(head_sha="f" * 40),
    "branch": altered(base_branch="release"),
    "diff": altered(diff_sha256="0" * 64),
    "commits": altered(commit_shas=["e" * 40]),
    "service": altered(service="bank"),
    "metrics": altered(metrics=["nothing"]),
    "environments": altered(environments=["staging"]),
    "method": altered(merged_by="force push"),
    "incident": retargeted,
}
stored = pytest.mark.parametrize("change", [pytest.param(change, id=name) for name, change in STORED.items()])


@ON_BOTH
def test_the_dialog_shows_what_the_approval_binds(services: Services, worker: Worker) -> None:
    _, chat, _ = shown(services, worker)
    fields = dict(chat.modals[-1].fields)
    assert fields["Merged into"] == "main, by merge commit, else squash, else rebase"
    assert "p95 latency of POST /checkout" in fields["Checked by"]
    content_hash = chat.modals[-1].value.partition(":")[2]
    assert f"`{content_hash[:12]}`" in fields["Approval binds"]


@stored
def test_what_was_changed_in_the_database_after_it_was_shown_cannot_be_approved(
    services: Services, worker: Worker, change: Callable[[Services], None]
) -> None:
    _, chat, code_host = shown(services, worker)
    change(services)
    submit(services)
    worker.run_all()
    assert code_host.merges == 0
    assert chat.ephemerals
    with services.readers() as session:
        assert session.query(Approval).count() == 0


@stored
def test_what_was_changed_in_the_database_after_the_approval_is_not_carried_out_and_people_are_told(
    services: Services, worker: Worker, change: Callable[[Services], None]
) -> None:
    _, chat, code_host = shown(services, worker)
    submit(services)
    change(services)
    worker.run_all()
    assert code_host.merges == 0
    assert "Nobody has approved exactly this" in said(chat)
    with services.readers() as session:
        assert audit.verify(session, key=services.audit_key).ok
        assert session.scalars(select(AuditEntry.event).order_by(AuditEntry.sequence)).all()[-1] == "action_refused"
        assert session.query(Action).count() == 0


@stored
def test_an_offer_that_was_changed_in_the_database_before_it_is_shown_is_withdrawn(
    services: Services, worker: Worker, change: Callable[[Services], None]
) -> None:
    chat, _ = fakes(services)
    proposal_id = offered(services, opened(services))
    settle(worker)
    change(services)
    click(services, "approve_fix", proposal_id)
    assert chat.modals == []
    assert "The offer is withdrawn" in said(chat)


def test_a_finding_that_joined_since_changes_what_is_tested_and_is_named(services: Services, worker: Worker) -> None:
    incident_id, chat, code_host = shown(services, worker)
    another_finding(services, incident_id)
    submit(services)
    worker.run_all()
    assert code_host.merges == 0
    assert "what is tested afterwards" in said(chat)
    assert "GET /cart" in said(chat)
    with services.readers() as session:
        proposal_id = session.scalars(select(Proposal.id)).one()
    click(services, "approve_fix", proposal_id)
    assert "GET /cart" in dict(chat.modals[-1].fields)["Checked by"]
    submit(services)
    worker.run_all()
    assert code_host.merges == 1


@ON_BOTH
def test_of_two_dialogs_the_one_that_shows_less_cannot_approve(services: Services, worker: Worker) -> None:
    incident_id, chat, code_host = shown(services, worker)
    old = chat.modals[-1].value
    another_finding(services, incident_id)
    click(services, "approve_fix", int(old.partition(":")[0]), "Ben")
    handle_submission(
        services, callback_id="confirm_approval", value=old, user_id="UANA", user_name="Ana", view_id="V1"
    )
    worker.run_all()
    assert code_host.merges == 0
    assert "changed since you looked" in said(chat)


def other_branch(code_host: FakeCodeHost) -> None:
    code_host.base_branch = "release"


def other_diff(code_host: FakeCodeHost) -> None:
    code_host.diff_text = code_host.diff_text.replace("good", "evil")


@pytest.mark.parametrize(
    ("change", "words"), [(other_branch, "it would go into release instead of main"), (other_diff, "its diff")]
)
def test_what_moved_on_github_after_the_approval_is_not_merged_and_is_named(
    services: Services, worker: Worker, change: Callable[[FakeCodeHost], None], words: str
) -> None:
    incident_id, chat, code_host = shown(services, worker)
    submit(services)
    change(code_host)
    worker.run_all()
    assert code_host.merges == 0
    assert words in said(chat)
    assert status(services, incident_id) is IncidentStatus.OPEN


@pytest.mark.parametrize(
    ("change", "words"), [(other_branch, "it would go into release instead of main"), (other_diff, "its diff")]
)
def test_what_moved_on_github_before_a_second_look_withdraws_the_offer(
    services: Services, worker: Worker, change: Callable[[FakeCodeHost], None], words: str
) -> None:
    _, chat, code_host = shown(services, worker)
    change(code_host)
    click(services, "approve_fix", int(chat.modals[-1].value.partition(":")[0]))
    assert words in said(chat)
    assert "The offer is withdrawn" in said(chat)


@pytest.mark.parametrize(
    "value", ["1:" + "0" * 64, "1:", "1", ":", "x:y", "99:" + "0" * 64, "1:é", "²:" + "0" * 64, "9" * 30 + ":0"]
)
def test_a_forged_value_approves_nothing(services: Services, worker: Worker, value: str) -> None:
    _, chat, code_host = shown(services, worker)
    handle_submission(
        services, callback_id="confirm_approval", value=value, user_id="UANA", user_name="Ana", view_id="V1"
    )
    worker.run_all()
    assert code_host.merges == 0
    assert chat.ephemerals


def cut_off(services: Services) -> None:
    with services.sessions.begin() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.event == audit.APPROVED))


def rewritten_entry(services: Services) -> None:
    with services.sessions.begin() as session:
        session.execute(update(AuditEntry).where(AuditEntry.event == audit.APPROVED).values(actor="Mallory"))


def rewritten_decider(services: Services) -> None:
    with services.sessions.begin() as session:
        session.execute(update(Approval).values(decided_by="Mallory", decided_by_id="UMAL"))


def forged_approval(services: Services) -> None:
    """Write the approval and its job into the tables, as somebody with the database and without the key could."""
    now = services.clock()
    with services.sessions.begin() as session:
        proposal = session.scalars(select(Proposal)).one()
        proposal.status = "approved"
        session.add(
            Approval(
                proposal_id=proposal.id, content_hash=proposal.content_hash, decision="approved", decided_by="Ana",
                decided_by_id="UANA", decided_at=now,
            )
        )  # fmt: skip
        session.add(
            OutboxJob(
                actor="execute_proposal", arguments={"proposal_id": proposal.id}, key="forged", created_at=now,
                available_at=now, attempts=0,
            )
        )  # fmt: skip


@ON_BOTH
@pytest.mark.parametrize("tamper", [cut_off, rewritten_entry, rewritten_decider, forged_approval])
def test_an_approval_that_the_chain_does_not_vouch_for_is_not_carried_out_and_people_are_told(
    services: Services, worker: Worker, tamper: Callable[[Services], None]
) -> None:
    incident_id, chat, code_host = shown(services, worker)
    if tamper is not forged_approval:
        submit(services)
    tamper(services)
    worker.run_all()
    assert code_host.merges == 0
    assert "audit chain" in said(chat)
    assert status(services, incident_id) is IncidentStatus.OPEN
    with services.readers() as session:
        assert session.query(Action).one().status == "failed"


def test_an_approval_that_was_taken_back_while_the_merge_waits_is_not_carried_out(
    services: Services, worker: Worker, clock: Clock
) -> None:
    _, chat, code_host = shown(services, worker)
    submit(services)
    code_host.failures.extend([RetryableError("GitHub", "HTTP 502")] * 2)
    worker.run()
    with services.sessions.begin() as session:
        session.execute(update(Proposal).values(status="superseded"))
    clock.forward(60)
    worker.run_all()
    assert code_host.merges == 0
    assert "Nobody has approved exactly this" in said(chat)


@pytest.mark.parametrize("removed_at", ["before the dialog is submitted", "while the merge waits"])
def test_an_approver_who_was_removed_meanwhile_merges_nothing(
    services: Services, worker: Worker, clock: Clock, removed_at: str
) -> None:
    _, chat, code_host = shown(services, worker)
    without_ana = services.settings.model_copy(update={"approver_ids": ["UBEN"]})
    if removed_at == "before the dialog is submitted":
        services.settings = without_ana
    submit(services)
    code_host.failures.extend([RetryableError("GitHub", "HTTP 502")] * 2)
    worker.run()
    services.settings = without_ana
    clock.forward(60)
    worker.run_all()
    assert code_host.merges == 0
    if removed_at == "while the merge waits":
        assert "Ana approved this and may not approve fixes any more" in said(chat)
    else:
        assert "Only Ben may approve fixes here" in chat.ephemerals[-1][1]
