"""A worker is killed at any moment of a fix, and meanwhile people close or reopen the incident: what is left over.

Never more than one merge, no pull request that nobody was offered, and everything is said once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from detection.types import IncidentStatus
from integrations.errors import IntegrationError, RejectedError, RetryableError, WaitingError
from storage import incidents, outbox
from tests.scenarios.workers.clicks.test_people_decide import click, close, fakes, submit
from tests.scenarios.workers.incidents import diagnosed, offered, opened
from tests.scenarios.workers.remediation.test_diagnosing_again import FIX
from tests.scenarios.workers.remediation.test_killed_while_fixing import MOMENTS, Killed, kill
from tests.scenarios.workers.worker import Clock, Worker, settle
from workers.remediation.execution import execute_proposal
from workers.remediation.pull_requests import propose_fix
from workers.services import Services

QUEUED = "the merge queue of main"


def resolved(services: Services) -> None:
    close(services, "resolve", 1)


def a_false_alarm(services: Services) -> None:
    close(services, "false_alarm", 1)


def closed_and_reopened(services: Services) -> None:
    close(services, "resolve", 1)
    click(services, "reopen", 1)


def nothing(services: Services) -> None:
    return


MEANWHILE: dict[str, Callable[[Services], None]] = {
    "nothing": nothing,
    "resolved": resolved,
    "a false alarm": a_false_alarm,
    "closed and reopened": closed_and_reopened,
}
meanwhile = pytest.mark.parametrize("happens", [pytest.param(one, id=name) for name, one in MEANWHILE.items()])


def is_closed(services: Services) -> bool:
    with services.readers() as session:
        return incidents.get_incident(session, 1).status.is_closed


@meanwhile
@pytest.mark.parametrize(
    "moment",
    [
        "workers.remediation.pull_requests.binding.read_diff",
        "workers.remediation.pull_requests._propose",
        "workers.remediation.pull_requests.proposals.create_proposal",
        "workers.remediation.pull_requests.enqueue_refresh",
    ],
)
def test_a_pull_request_that_was_opened_just_before_a_kill_is_offered_or_closed(
    services: Services, worker: Worker, moment: str, happens: Callable[[Services], None]
) -> None:
    chat, code_host = fakes(services)
    diagnosis_id = diagnosed(services, opened(services), fix=FIX)
    settle(worker)
    with services.sessions.begin() as session:
        arguments = {"diagnosis_id": diagnosis_id, "is_answer": False}
        outbox.enqueue(session, "propose_fix", arguments, key="propose", now=services.clock())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(moment, kill)
        with pytest.raises(Killed):
            propose_fix(services, diagnosis_id)
    happens(services)
    worker.run_all()
    if is_closed(services):
        assert code_host.closed == [7]
        assert code_host.comments == ["Incident #1 was closed before this was offered."]
        assert "Proposed fix" not in chat.thread_titles()
    else:
        assert code_host.closed == []
        assert chat.thread_titles().count("Proposed fix") == 1


def test_a_pull_request_is_closed_once_github_answers_again(services: Services, worker: Worker, clock: Clock) -> None:
    _, code_host = fakes(services)
    diagnosis_id = diagnosed(services, opened(services), fix=FIX)
    settle(worker)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("workers.remediation.pull_requests._propose", kill)
        with pytest.raises(Killed):
            propose_fix(services, diagnosis_id)
    close(services, "resolve", 1)
    with services.sessions.begin() as session:
        outbox.enqueue(session, "propose_fix", {"diagnosis_id": diagnosis_id}, key="propose", now=services.clock())
    code_host.failures.extend([RetryableError("GitHub", "HTTP 502")] * 3)
    worker.run_all()
    assert code_host.closed == [7]


@meanwhile
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_approved_fix_is_merged_at_most_once_and_its_end_is_told_once(
    services: Services, worker: Worker, moment: str, happens: Callable[[Services], None]
) -> None:
    chat, code_host = fakes(services)
    proposal_id = offered(services, opened(services))
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(moment, kill)
        with pytest.raises(Killed):
            execute_proposal(services, proposal_id)
    merged_before = code_host.merges
    happens(services)
    worker.run_all()
    titles = chat.thread_titles()
    assert titles.count("Fix merged") + titles.count("The fix was not merged") == 1
    assert code_host.merges == titles.count("Fix merged")
    if is_closed(services):
        assert code_host.merges == merged_before


def waits_in_the_queue(services: Services, worker: Worker) -> int:
    """Approve a fix whose merge waits in GitHub's queue."""
    _, code_host = fakes(services)
    code_host.merge_refusals.extend([WaitingError("GitHub", QUEUED, is_under_way=True)] * 1000)
    code_host.is_queued = True
    proposal_id = offered(services, opened(services))
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    settle(worker)
    return proposal_id


def outcome(services: Services) -> str:
    chat, _ = fakes(services)
    [text] = [posted.card.text for posted in chat.messages.values() if posted.card.title == "The fix was not merged"]
    return text


@pytest.mark.parametrize("button", ["resolve", "false_alarm"])
def test_a_merge_that_waits_in_the_queue_is_taken_out_when_the_incident_is_closed(
    services: Services, worker: Worker, button: str
) -> None:
    _, code_host = fakes(services)
    waits_in_the_queue(services, worker)
    close(services, button, 1)
    worker.run_all()
    assert code_host.left_queue == [7]
    assert "It was taken out of GitHub's merge queue." in outcome(services)


def test_a_merge_is_taken_out_of_the_queue_when_its_approval_is_void(services: Services, worker: Worker) -> None:
    _, code_host = fakes(services)
    waits_in_the_queue(services, worker)
    code_host.base_branch = "release"
    worker.run_all()
    assert code_host.left_queue == [7]
    assert "It was taken out of GitHub's merge queue." in outcome(services)


def test_a_merge_is_taken_out_of_the_queue_when_argux_stops_waiting(services: Services, worker: Worker) -> None:
    _, code_host = fakes(services)
    waits_in_the_queue(services, worker)
    worker.run_for(31 * 60)
    assert code_host.left_queue == [7]
    assert "Argux has stopped after 30 minutes. Argux merged nothing." in outcome(services)


@pytest.mark.parametrize(
    ("failures", "is_out"),
    [
        ([RetryableError("GitHub", "HTTP 502")] * 2, True),
        ([RejectedError("GitHub", "Resource not accessible by personal access token")], False),
    ],
)
def test_leaving_the_queue_is_tried_again_and_what_is_refused_is_told_with_what_to_do(
    services: Services, worker: Worker, failures: list[IntegrationError], is_out: bool
) -> None:
    _, code_host = fakes(services)
    waits_in_the_queue(services, worker)
    code_host.queue_failures.extend(failures)
    close(services, "resolve", 1)
    worker.run_all()
    assert (code_host.left_queue == [7]) is is_out
    assert ("press Remove from queue on the pull request" in outcome(services)) is not is_out


def test_a_merge_that_the_queue_has_done_just_before_it_is_taken_out_counts_as_merged(
    services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, code_host = fakes(services)
    waits_in_the_queue(services, worker)
    close(services, "resolve", 1)

    def just_merged(*_: Any) -> bool:
        code_host.merges = 1
        return False

    monkeypatch.setattr(code_host, "leave_queue", just_merged)
    worker.run_all()
    assert chat.thread_titles().count("Fix merged") == 1
    assert "The fix was not merged" not in chat.thread_titles()
    with services.readers() as session:
        assert incidents.get_incident(session, 1).status is IncidentStatus.RESOLVED
