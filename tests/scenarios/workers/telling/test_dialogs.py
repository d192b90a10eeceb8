"""The approval dialog opens after one press of Approve fix, whatever else is slow or broken."""

from __future__ import annotations

import pytest

from integrations.errors import AuthenticationError, RejectedError, RetryableError
from integrations.protocols import PullRequest
from integrations.text import ours
from storage import outbox
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.fakes import FakeCodeHost, chat
from tests.scenarios.workers.incidents import offered, opened
from tests.scenarios.workers.worker import Worker
from workers.services import Services
from workers.telling import dialogs

TRIGGER = "1.2.ana"


def pressed(services: Services, proposal_id: int) -> None:
    """Store the click as the web process does."""
    arguments = {
        "action_id": "approve_fix",
        "value": str(proposal_id),
        "user_id": "UANA",
        "user_name": "Ana",
        "channel": "C1",
        "message_ts": "1",
        "trigger_id": TRIGGER,
    }
    with services.sessions.begin() as session:
        outbox.enqueue(session, "handle_click", arguments, key="click:1", now=services.clock())


def shown(services: Services) -> str:
    """Return the text of the only open dialog."""
    (modal,) = chat(services).modals
    return "\n".join((modal.title, *modal.sections, modal.code))


@pytest.fixture
def proposal_id(services: Services, worker: Worker) -> int:
    made = offered(services, opened(services))
    worker.run_all()
    return made


@ON_BOTH
def test_the_dialog_opens_empty_at_once_and_is_filled_by_the_worker(
    services: Services, worker: Worker, proposal_id: int
) -> None:
    pressed(services, proposal_id)
    dialogs.open_at_once(services, "approve_fix", TRIGGER)
    assert "Loading the change" in shown(services)
    assert chat(services).modals[0].submit_label == ""
    worker.run()
    assert "+good" in shown(services)
    assert chat(services).modals[0].submit_label == "Approve and merge"
    assert chat(services).ephemerals == []


def test_a_worker_that_starts_after_the_trigger_expired_still_fills_the_dialog(
    services: Services, worker: Worker, proposal_id: int
) -> None:
    pressed(services, proposal_id)
    dialogs.open_at_once(services, "approve_fix", TRIGGER)
    worker.clock.forward(40)
    worker.run()
    assert "+good" in shown(services)


def test_the_worker_opens_the_dialog_if_the_web_process_could_not(
    services: Services, worker: Worker, proposal_id: int
) -> None:
    pressed(services, proposal_id)
    chat(services).failures.append(RetryableError("Slack", "a timeout"))
    dialogs.open_at_once(services, "approve_fix", TRIGGER)
    worker.run()
    assert "+good" in shown(services)


def test_a_dialog_opened_meanwhile_by_the_web_process_is_filled_and_not_opened_twice(
    services: Services, worker: Worker, proposal_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = chat(services)
    really_open = fake.open_modal

    def too_late(trigger_id: str, modal: object) -> None:
        really_open(trigger_id, dialogs._text_modal("approve_fix", trigger_id, ours("Loading the change …")))
        raise RejectedError("Slack", "exchanged_trigger_id")

    monkeypatch.setattr(fake, "open_modal", too_late)
    pressed(services, proposal_id)
    worker.run()
    assert "+good" in shown(services)


def test_a_github_error_is_retried_and_the_dialog_says_so_meanwhile(
    services: Services, worker: Worker, proposal_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(repository: str, number: int) -> PullRequest:
        raise RetryableError("GitHub", "HTTP 500")

    pressed(services, proposal_id)
    dialogs.open_at_once(services, "approve_fix", TRIGGER)
    with monkeypatch.context() as broken:
        broken.setattr(FakeCodeHost, "diff", lambda self, repository, number: down(repository, number))
        worker.run()
        assert "GitHub: HTTP 500. Argux tries again by itself" in shown(services)
    worker.run_all()
    assert "+good" in shown(services)
    assert chat(services).ephemerals == []


def test_a_permanent_refusal_by_github_is_shown_in_the_dialog(
    services: Services, worker: Worker, proposal_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: FakeCodeHost, repository: str, number: int) -> str:
        raise AuthenticationError("GitHub", "the token was refused")

    monkeypatch.setattr(FakeCodeHost, "diff", refused)
    pressed(services, proposal_id)
    dialogs.open_at_once(services, "approve_fix", TRIGGER)
    worker.run()
    assert "the token was refused" in shown(services)


def test_a_refusal_is_shown_in_the_open_dialog(services: Services, worker: Worker, proposal_id: int) -> None:
    services.settings = services.settings.model_copy(update={"approver_ids": ["UBEN"]})
    pressed(services, proposal_id)
    dialogs.open_at_once(services, "approve_fix", TRIGGER)
    worker.run()
    assert "Only Ben may approve fixes here." in shown(services)
    assert chat(services).modals[0].submit_label == ""
    assert chat(services).ephemerals == []


def test_the_button_of_a_superseded_proposal_opens_the_current_one_and_says_so(
    services: Services, worker: Worker, proposal_id: int
) -> None:
    newer = offered(services, 1)
    pressed(services, proposal_id)
    dialogs.open_at_once(services, "approve_fix", TRIGGER)
    worker.run()
    assert chat(services).modals[0].value.startswith(f"{newer}:")
    assert "A closer look has found a better fix" in shown(services)


def test_a_click_given_up_after_all_retries_is_reported_to_the_person(
    services: Services, worker: Worker, proposal_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(self: FakeCodeHost, repository: str, number: int) -> str:
        raise RetryableError("GitHub", "HTTP 500", retry_after_seconds=1.0)

    monkeypatch.setattr(FakeCodeHost, "diff", down)
    pressed(services, proposal_id)
    dialogs.open_at_once(services, "approve_fix", TRIGGER)
    worker.run_all()
    assert "This could not be done: GitHub: HTTP 500" in shown(services)
    assert chat(services).ephemerals[-1][1].startswith("This could not be done: GitHub: HTTP 500.")
