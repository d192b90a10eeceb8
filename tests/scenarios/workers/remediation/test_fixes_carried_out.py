"""From approval to merge, when people, code host errors or deadlines intervene."""

from __future__ import annotations

from datetime import timedelta

import pytest

from detection.types import IncidentStatus
from integrations.errors import RejectedError, RetryableError
from storage import audit, deploys, incidents
from storage.models import Action, AuditEntry, Verification
from tests.scenarios.workers.clicks.test_people_decide import click, close, fakes, status, submit
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeChat, FakeCodeHost
from tests.scenarios.workers.incidents import offered, opened
from tests.scenarios.workers.worker import Clock, Worker, settle, verify
from workers.services import Services


def approved(services: Services, worker: Worker) -> int:
    """Open an incident whose fix Ana has just approved; no action has run yet."""
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    return incident_id


def down(times: int) -> list[RetryableError]:
    return [RetryableError("GitHub", "HTTP 500") for _ in range(times)]


def said(chat: FakeChat, title: str) -> str:
    (card,) = [posted.card for posted in chat.messages.values() if posted.card.title == title]
    return card.text


def events(services: Services) -> list[str]:
    with services.readers() as session:
        assert audit.verify(session, key=services.audit_key).ok
        return [entry.event for entry in session.query(AuditEntry).order_by(AuditEntry.sequence)]


def actions(services: Services) -> list[str]:
    with services.readers() as session:
        return [row.status for row in session.query(Action)]


def merged_without_an_answer(services: Services, worker: Worker) -> int:
    """Let GitHub merge an approved fix whose answer is lost; return the incident's id."""
    _, code_host = fakes(services)
    incident_id = approved(services, worker)
    code_host.lost_answers.append(RetryableError("GitHub", "did not answer in time"))
    worker.run()
    assert (code_host.merges, actions(services)) == (1, ["running"])
    return incident_id


def verifications(services: Services) -> int:
    with services.readers() as session:
        return session.query(Verification).count()


@ON_BOTH
def test_nothing_is_merged_for_an_incident_that_was_closed_while_the_code_host_was_down(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, code_host = fakes(services)
    incident_id = approved(services, worker)
    code_host.failures.extend(down(20))
    settle(worker)
    assert actions(services) == ["running"]
    close(services, "false_alarm", incident_id)
    code_host.failures.clear()
    clock.forward(30)
    settle(worker)
    assert code_host.merges == 0
    assert status(services, incident_id) is IncidentStatus.FALSE_ALARM
    assert actions(services) == ["failed"]
    assert verifications(services) == 0
    assert events(services)[-2:] == ["false_alarm", "action_failed"]
    text = said(chat, "The fix was not merged")
    assert "The incident was closed by Ana before the merge" in text
    assert "open again" not in text


def test_a_merge_before_the_incident_was_closed_is_posted_and_the_incident_stays_closed(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, _ = fakes(services)
    incident_id = merged_without_an_answer(services, worker)
    close(services, "resolve", incident_id)
    clock.forward(30)
    settle(worker)
    assert status(services, incident_id) is IncidentStatus.RESOLVED
    assert actions(services) == ["done"]
    assert verifications(services) == 0
    assert "closed by Ana meanwhile" in said(chat, "Fix merged")
    assert events(services)[-1] == "action_done"


def test_a_merge_with_an_unknown_outcome_is_never_reported_as_not_merged(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, code_host = fakes(services)
    incident_id = merged_without_an_answer(services, worker)
    close(services, "false_alarm", incident_id)
    code_host.failures.extend(down(1))
    clock.forward(2)
    worker.run()
    assert actions(services) == ["running"]
    clock.forward(30)
    settle(worker)
    assert actions(services) == ["done"]
    assert "The fix was not merged" not in chat.thread_titles()


def test_a_fix_that_the_code_host_never_answers_is_given_up_with_a_message(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, code_host = fakes(services)
    incident_id = approved(services, worker)
    code_host.failures.extend(down(40))
    for _ in range(14):
        worker.run()
        clock.forward(301)
    assert actions(services) == ["failed"]
    assert status(services, incident_id) is IncidentStatus.OPEN
    assert "GitHub: HTTP 500" in said(chat, "The fix was not merged")


@ON_BOTH
def test_a_pull_request_merged_by_somebody_else_is_verified(services: Services, worker: Worker, clock: Clock) -> None:
    chat, code_host = fakes(services)
    incident_id = approved(services, worker)
    merged_at = clock() - timedelta(minutes=5)
    code_host.merged_elsewhere_at = merged_at.timestamp()
    deployed_at = merged_at + timedelta(minutes=1)
    with services.sessions.begin() as session:
        deploys.record_deploy(
            session, service="shop", version="2", commit_sha="e" * 40, repository="acme/shop", deployed_at=deployed_at,
            deployed_by=None, now=clock(),
        )  # fmt: skip
    settle(worker)
    assert code_host.merges == 0
    assert said(chat, "Fix merged").startswith(f"Pull request #7 was merged already, as `{'c' * 7}`.")
    assert status(services, incident_id) is IncidentStatus.MITIGATING
    verify(services)
    with services.readers() as session:
        (row,) = session.query(Verification)
    assert row.live_at == deployed_at


def test_a_pull_request_closed_by_somebody_is_reported_as_closed(
    services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, code_host = fakes(services)

    def closed(self: FakeCodeHost, repository: str, number: int, *, head_sha: str) -> None:
        raise RejectedError("GitHub", f"pull request #{number} was closed without being merged")

    incident_id = approved(services, worker)
    monkeypatch.setattr(FakeCodeHost, "merge", closed)
    settle(worker)
    assert code_host.merges == 0
    text = said(chat, "The fix was not merged")
    assert "closed without being merged" in text
    assert "press Diagnose again" in text
    assert status(services, incident_id) is IncidentStatus.OPEN


@pytest.mark.parametrize("succeeds", [True, False])
def test_the_outcome_of_a_decision_is_posted_while_the_incident_is_snoozed(
    services: Services, worker: Worker, succeeds: bool
) -> None:
    chat, code_host = fakes(services)
    incident_id = approved(services, worker)
    click(services, "snooze", incident_id)
    if not succeeds:
        code_host.head_sha = "e" * 40
    settle(worker)
    assert ("Fix merged" if succeeds else "The fix was not merged") in chat.thread_titles()


def test_a_requested_ticket_is_posted_while_the_incident_is_snoozed(services: Services, worker: Worker) -> None:
    chat, _ = fakes(services)
    incident_id = opened(services)
    settle(worker)
    click(services, "snooze", incident_id)
    click(services, "create_ticket", incident_id)
    settle(worker)
    assert "Ticket created" in chat.thread_titles()


def run_out_of_time(services: Services, worker: Worker, clock: Clock) -> None:
    """Let the verification end without a deploy of the fix."""
    clock.forward(services.settings.verification_deadline_minutes * 60 + 1)
    verify(services)
    settle(worker)


def test_the_outcome_of_the_verification_is_posted_while_the_incident_is_snoozed(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, _ = fakes(services)
    incident_id = approved(services, worker)
    settle(worker)
    click(services, "snooze", incident_id)
    run_out_of_time(services, worker, clock)
    assert "Not recovered" in chat.thread_titles()
    assert "open again" in said(chat, "Not recovered")


def test_a_verification_that_ends_after_a_person_closed_the_incident_does_not_say_it_is_open(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, _ = fakes(services)
    incident_id = approved(services, worker)
    settle(worker)
    close(services, "resolve", incident_id)
    run_out_of_time(services, worker, clock)
    assert status(services, incident_id) is IncidentStatus.RESOLVED
    assert "open again" not in said(chat, "Not recovered")
    assert "closed by Ana" in said(chat, "Not recovered")


@ON_BOTH
def test_the_outcome_of_an_action_is_in_the_incidents_timeline(services: Services, worker: Worker) -> None:
    _, code_host = fakes(services)
    incident_id = approved(services, worker)
    code_host.head_sha = "e" * 40
    settle(worker)
    with services.readers() as session:
        entries = incidents.get_incident(session, incident_id).timeline
        assert any("has a new head" in entry.text for entry in entries)
