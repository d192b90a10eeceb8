"""A worker that is killed at any moment of a fix: it is merged once, told once, and no two pull requests stay open."""

from __future__ import annotations

from typing import Any

import pytest

from storage import outbox
from storage.models import AuditEntry, Proposal, Verification
from tests.scenarios.workers.clicks.test_people_decide import click, fakes, submit
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.incidents import diagnosed, offered, opened
from tests.scenarios.workers.remediation.test_diagnosing_again import FIX
from tests.scenarios.workers.worker import Worker, settle
from workers.remediation.execution import execute_proposal
from workers.remediation.pull_requests import propose_fix
from workers.services import Services

pytestmark = ON_BOTH


class Killed(BaseException):
    """The end of the process: nothing catches it."""


def kill(*given: Any, **named: Any) -> None:
    raise Killed


MOMENTS = [
    "workers.remediation.execution.audit.approval_fault",
    "workers.remediation.execution.binding.read_diff",
    "tests.scenarios.workers.fakes.FakeCodeHost.merge",
    "workers.remediation.execution._finish_done",
    "workers.remediation.execution._post_outcome",
]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("answer_is_lost", [False, True])
def test_an_approved_fix_is_merged_once_and_told_once(
    services: Services, worker: Worker, moment: str, answer_is_lost: bool
) -> None:
    chat, code_host = fakes(services)
    proposal_id = offered(services, opened(services))
    settle(worker)
    click(services, "approve_fix", proposal_id)
    submit(services)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(moment, kill)
        if answer_is_lost:
            code_host.lost_answers.append(Killed())  # type: ignore[arg-type]
        with pytest.raises(Killed):
            execute_proposal(services, proposal_id)
    code_host.lost_answers.clear()
    worker.run_all()
    assert code_host.merges == 1
    assert chat.thread_titles().count("Fix merged") == 1
    with services.readers() as session:
        assert session.query(Verification).count() == 1
        assert session.query(AuditEntry).filter(AuditEntry.event == "action_done").count() == 1


@pytest.mark.parametrize(
    "moment",
    [
        "workers.remediation.pull_requests.binding.read_diff",
        "workers.remediation.pull_requests._propose",
        "workers.remediation.pull_requests.proposals.create_proposal",
        "workers.remediation.pull_requests.enqueue_refresh",
    ],
)
def test_a_new_offer_leaves_one_pull_request_open(services: Services, worker: Worker, moment: str) -> None:
    chat, code_host = fakes(services)
    incident_id = opened(services)
    propose_fix(services, diagnosed(services, incident_id, fix=FIX | {"commit_shas": ["d" * 40, "e" * 40]}))
    settle(worker)
    code_host.number = 8
    diagnosis_id = diagnosed(services, incident_id, fix=FIX)
    with services.sessions.begin() as session:
        arguments = {"diagnosis_id": diagnosis_id, "is_answer": False}
        outbox.enqueue(session, "propose_fix", arguments, key="propose", now=services.clock())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(moment, kill)
        with pytest.raises(Killed):
            propose_fix(services, diagnosis_id)
    worker.run_all()
    assert code_host.closed == [7]
    assert chat.thread_titles().count("Proposed fix") == 2
    with services.readers() as session:
        offers = [(row.parameters["number"], row.status) for row in session.query(Proposal).order_by(Proposal.id)]
    assert offers == [(7, "superseded"), (8, "open")]
