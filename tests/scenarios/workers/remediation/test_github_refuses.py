"""Whatever GitHub answers, at each step of a fix: within a minute it is done, or the person who waits is told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from detection.types import IncidentStatus
from integrations.errors import (
    AuthenticationError,
    ConflictError,
    IntegrationError,
    NotFoundError,
    RejectedError,
    RetryableError,
    StaleHeadError,
    WaitingError,
)
from storage import outbox
from storage.models import Action, OutboxJob, Proposal
from tests.scenarios.workers.clicks.test_people_decide import click, fakes, status, submit
from tests.scenarios.workers.fakes import FakeChat, FakeTickets
from tests.scenarios.workers.incidents import diagnosed, offered, opened
from tests.scenarios.workers.remediation.test_diagnosing_again import FIX
from tests.scenarios.workers.worker import Clock, Worker, settle
from workers.services import Services
from workers.telling import dialogs

# tests/unit/integrations/github/test_every_call.py proves which answer of GitHub becomes which of these errors.
ANSWERS: dict[str, Callable[[], IntegrationError]] = {
    "away": lambda: RetryableError("GitHub", "it did not answer in time"),
    "server error": lambda: RetryableError("GitHub", "HTTP 502"),
    "secondary limit": lambda: RetryableError("GitHub", "it asks for a pause", 60.0),
    "primary limit": lambda: RetryableError("GitHub", "the rate limit is used up", 1800.0),
    "check runs": lambda: WaitingError("GitHub", "the check “ci/test” to end"),
    "review": lambda: WaitingError("GitHub", "what main asks for (GitHub: At least 1 approving review is required)"),
    "queue": lambda: WaitingError("GitHub", "the merge queue of main", is_under_way=True),
    "token": lambda: AuthenticationError("GitHub", "Bad credentials (HTTP 401)"),
    "rights": lambda: AuthenticationError("GitHub", "Resource not accessible by personal access token (HTTP 403)"),
    "gone": lambda: NotFoundError("GitHub", "Not Found (HTTP 404)"),
    "single sign-on": lambda: AuthenticationError("GitHub", "SAML enforcement (HTTP 403): authorise the token at …"),
    "blocked": lambda: RejectedError("GitHub", "Repository access blocked (HTTP 451)"),
    "not GitHub": lambda: RetryableError("GitHub", "the answer was not GitHub's"),
    "refused": lambda: RejectedError("GitHub", "Validation Failed (HTTP 422)"),
    "moved": lambda: StaleHeadError("GitHub", "pull request #7 changed since it was approved"),
    "conflict": lambda: ConflictError("GitHub", "pull request #7 no longer merges cleanly"),
}
answers = pytest.mark.parametrize("answer", [pytest.param(make, id=name) for name, make in ANSWERS.items()])


def words(error: IntegrationError) -> str:
    return error.waits_for if isinstance(error, WaitingError) else str(error).removeprefix("GitHub: ")


def told(chat: FakeChat) -> str:
    """Return all that stands in the thread, in dialogs and in private messages."""
    posted = [f"{item.card.title} {item.card.text}" for item in chat.messages.values()]
    dialogs = [" ".join(modal.sections) for modal in chat.modals]
    return "\n".join([*posted, *dialogs, *(text for _, text in chat.ephemerals)])


def a_minute(worker: Worker) -> None:
    worker.run_all()


@answers
def test_while_the_fix_is_prepared(services: Services, worker: Worker, answer: Callable[[], IntegrationError]) -> None:
    chat, code_host = fakes(services)
    diagnosis_id = diagnosed(services, opened(services), fix=FIX)
    error = answer()
    code_host.refusals.extend([error] * 100)
    with services.sessions.begin() as session:
        arguments = {"diagnosis_id": diagnosis_id, "is_answer": False}
        outbox.enqueue(session, "propose_fix", arguments, key="propose", now=services.clock())
    a_minute(worker)
    assert words(error) in told(chat)


def pressed(services: Services, proposal_id: int) -> None:
    """Store a press of Approve fix and open its empty dialog, as the web process does."""
    arguments = {
        "action_id": "approve_fix", "value": str(proposal_id), "user_id": "UANA", "user_name": "Ana", "channel": "C1",
        "message_ts": "1", "trigger_id": "1.2.ana",
    }  # fmt: skip
    with services.sessions.begin() as session:
        outbox.enqueue(session, "handle_click", arguments, key="click:1", now=services.clock())
    dialogs.open_at_once(services, "approve_fix", "1.2.ana")


@answers
@pytest.mark.parametrize("call", ["failures", "diff_failures"])
def test_when_the_change_is_read_for_the_dialog(
    services: Services, worker: Worker, answer: Callable[[], IntegrationError], call: str
) -> None:
    chat, code_host = fakes(services)
    proposal_id = offered(services, opened(services))
    settle(worker)
    error = answer()
    getattr(code_host, call).extend([error] * 100)
    pressed(services, proposal_id)
    a_minute(worker)
    (modal,) = chat.modals
    assert str(error) in " ".join(modal.sections)
    assert modal.submit_label == ""


@pytest.mark.parametrize("text", ["", '{"id": 7}', "<html>Unicorn!</html>", "diff --git a/x b/x\n@@ -1 +1 @@\n-bad\n"])
def test_what_is_no_diff_is_told_in_the_dialog_which_then_approves_nothing(
    services: Services, worker: Worker, text: str
) -> None:
    chat, code_host = fakes(services)
    proposal_id = offered(services, opened(services))
    settle(worker)
    code_host.diff_text = text
    pressed(services, proposal_id)
    worker.run()
    (modal,) = chat.modals
    assert "cannot be approved here" in " ".join(modal.sections)
    assert (modal.submit_label, modal.code) == ("", "")


@answers
def test_when_the_approved_fix_is_merged(
    services: Services, worker: Worker, answer: Callable[[], IntegrationError]
) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    error = answer()
    code_host.merge_refusals.extend([error] * 100)
    a_minute(worker)
    assert code_host.merges == 0
    assert words(error) in told(chat)
    waits = isinstance(error, RetryableError)
    assert status(services, incident_id) is (IncidentStatus.MITIGATING if waits else IncidentStatus.OPEN)
    assert ("The fix was not merged" in chat.thread_titles()) is not waits


@pytest.mark.parametrize("name", [name for name, make in ANSWERS.items() if isinstance(make(), RetryableError)])
def test_what_has_passed_is_merged_by_itself_within_the_half_hour(
    services: Services, worker: Worker, clock: Clock, name: str
) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    code_host.merge_refusals.extend([ANSWERS[name]()] * 8)
    for _ in range(40):
        worker.run()
        clock.forward(30)
        if name.endswith("limit"):
            code_host.merge_refusals.clear()
    clock.forward(1800)
    settle(worker)
    assert code_host.merges == 1
    assert "Fix merged" in chat.thread_titles()
    assert status(services, incident_id) is IncidentStatus.MITIGATING


def test_what_does_not_pass_is_given_up_after_half_an_hour_with_what_it_waited_for(
    services: Services, worker: Worker, clock: Clock
) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    code_host.merge_refusals.extend([ANSWERS["check runs"]()] * 500)
    for _ in range(70):
        worker.run()
        clock.forward(30)
    settle(worker)
    assert chat.thread_titles().count("The approved fix waits") == 1
    (text,) = [item.card.text for item in chat.messages.values() if item.card.title == "The fix was not merged"]
    assert "the check “ci/test” to end" in text
    assert "stopped after 30 minutes" in text
    assert "Argux merged nothing" in text
    assert status(services, incident_id) is IncidentStatus.OPEN


def test_a_wait_is_no_failed_try_and_leaves_no_dead_letter(services: Services, worker: Worker, clock: Clock) -> None:
    _, code_host = fakes(services)
    proposal_id = offered(services, opened(services))
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    code_host.merge_refusals.extend([ANSWERS["check runs"]()] * 30)
    for _ in range(40):
        worker.run()
        clock.forward(30)
    with services.readers() as session:
        (job,) = session.query(OutboxJob).filter(OutboxJob.actor == "execute_proposal")
        assert (job.attempts, job.dead_at) == (0, None)
        assert session.query(Action).one().status == "done"


@pytest.mark.parametrize("error", [RetryableError("Jira", "HTTP 503"), RetryableError("Jira", "HTTP 429", 60.0)])
def test_a_ticket_that_waits_for_jira_is_told_and_then_made(
    services: Services, worker: Worker, error: RetryableError
) -> None:
    chat, _ = fakes(services)
    assert isinstance(services.tickets, FakeTickets)
    incident_id = opened(services)
    settle(worker)
    services.tickets.failures.append(error)
    click(services, "create_ticket", incident_id)
    settle(worker)
    assert str(error) in told(chat)
    worker.run_all()
    worker.run_all()
    assert "Ticket created" in chat.thread_titles()


def test_the_card_says_what_an_approved_fix_waits_for(services: Services, worker: Worker) -> None:
    chat, code_host = fakes(services)
    proposal_id = offered(services, opened(services))
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    code_host.merge_refusals.extend([ANSWERS["check runs"]()] * 9)
    settle(worker)
    assert "waiting for the check “ci/test” to end" in dict(chat.root().card.fields)["Fix"]


def prepared_again(services: Services, incident_id: int, shas: list[str]) -> None:
    diagnosis_id = diagnosed(services, incident_id, fix=FIX | {"commit_shas": shas})
    with services.sessions.begin() as session:
        arguments = {"diagnosis_id": diagnosis_id, "is_answer": False}
        outbox.enqueue(session, "propose_fix", arguments, key=f"propose:{diagnosis_id}", now=services.clock())


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_a_new_offer_closes_the_earlier_pull_request_also_when_github_is_away_just_then(
    services: Services, worker: Worker, clock: Clock, failures: int
) -> None:
    _, code_host = fakes(services)
    incident_id = opened(services)
    prepared_again(services, incident_id, ["d" * 40, "e" * 40])
    settle(worker)
    code_host.number = 8
    code_host.close_failures.extend([RetryableError("GitHub", "HTTP 502")] * failures)
    prepared_again(services, incident_id, ["d" * 40])
    worker.run_all()
    with services.readers() as session:
        offers = [(row.parameters["number"], row.status) for row in session.query(Proposal).order_by(Proposal.id)]
    assert offers == [(7, "superseded"), (8, "open")]
    assert code_host.closed == [7]


@answers
def test_while_an_earlier_pull_request_is_closed(
    services: Services, worker: Worker, answer: Callable[[], IntegrationError]
) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    prepared_again(services, incident_id, ["d" * 40, "e" * 40])
    settle(worker)
    code_host.number = 8
    error = answer()
    code_host.close_failures.extend([error] * 100)
    prepared_again(services, incident_id, ["d" * 40])
    worker.run_for(59)
    assert code_host.closed == []
    assert words(error) in told(chat)
    assert "Pull request #7 is not offered any more" in told(chat)
    if isinstance(error, RetryableError):
        code_host.close_failures.clear()
        worker.run_for(1800)
        assert code_host.closed == [7]


@answers
def test_while_an_approved_fix_is_waited_for(
    services: Services, worker: Worker, answer: Callable[[], IntegrationError]
) -> None:
    """The fix waits for a check; then GitHub refuses to say how the pull request stands."""
    chat, code_host = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    code_host.merge_refusals.extend([ANSWERS["check runs"]()] * 100)
    settle(worker)
    error = answer()
    code_host.failures.extend([error] * 100)
    worker.run_for(90)
    assert code_host.merges == 0
    assert words(error) in told(chat)
    waits = isinstance(error, RetryableError)
    assert status(services, incident_id) is (IncidentStatus.MITIGATING if waits else IncidentStatus.OPEN)


def test_an_earlier_pull_request_that_cannot_be_closed_is_told(services: Services, worker: Worker) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    prepared_again(services, incident_id, ["d" * 40, "e" * 40])
    settle(worker)
    code_host.number = 8
    code_host.close_failures.append(AuthenticationError("GitHub", "Resource not accessible (HTTP 403)"))
    prepared_again(services, incident_id, ["d" * 40])
    worker.run_all()
    assert "Resource not accessible" in told(chat)
    assert "Close it by hand" in told(chat)


def test_a_merge_queue_that_merges_later_is_verified(services: Services, worker: Worker, clock: Clock) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    proposal_id = offered(services, incident_id)
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    code_host.merge_refusals.append(ANSWERS["queue"]())
    settle(worker)
    assert "the merge queue of main" in told(chat)
    code_host.merged_elsewhere_at = clock().timestamp()
    worker.run_all()
    assert "Fix merged" in chat.thread_titles()
    with services.readers() as session:
        assert session.query(Action).one().status == "done"
