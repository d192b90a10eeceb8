"""Whoever asks, presses or submits is told within a minute, whichever way Slack, Jira or Teams refuses."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.errors import (
    AuthenticationError,
    ContentRefusedError,
    IntegrationError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    RetryableError,
)
from storage import outbox
from tests.scenarios.workers.fakes import FakeChat, FakeEscalation
from tests.scenarios.workers.incidents import offered, opened
from tests.scenarios.workers.worker import Worker, settle
from workers.running.actors import run_job
from workers.running.jobs import JOBS
from workers.services import Services

REFUSALS: dict[str, IntegrationError] = {
    "expired": NotFoundError("Slack", "expired_url (HTTP 404)"),
    "used up": NotFoundError("Slack", "used_url (HTTP 404)"),
    "server error": RetryableError("Slack", "HTTP 500"),
    "timeout": RetryableError("Slack", "it did not answer in time"),
    "limited": RateLimitedError("Slack", "ratelimited", 30.0),
    "not allowed": AuthenticationError("Slack", "HTTP 403"),
    "refused": RejectedError("Slack", "invalid_blocks (HTTP 400)"),
}
refusals = pytest.mark.parametrize("error", REFUSALS.values(), ids=REFUSALS)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough here: what is asked is what people see."""
    return sqlite_url


@pytest.fixture
def chat(services: Services) -> FakeChat:
    assert isinstance(services.chat, FakeChat)
    return services.chat


def ask(services: Services, text: str = "status") -> None:
    """Run the command as a worker does: from the broker, and not from the outbox."""
    arguments = {
        "text": text, "response_url": "https://hooks.slack.com/commands/1", "user_id": "UANA", "user_name": "ana",
        "channel": "C7",
    }  # fmt: skip
    run_job(services, "answer_command", JOBS["answer_command"], None, arguments)


def direct(chat: FakeChat) -> list[str]:
    return [card.text for card in chat.direct]


@refusals
@pytest.mark.parametrize(("command", "words"), [("status", "All quiet"), ("help", "the newest incidents")])
def test_an_answer_that_the_response_url_refuses_comes_as_a_private_message(
    services: Services, chat: FakeChat, error: IntegrationError, command: str, words: str
) -> None:
    opened(services)
    chat.respond_failures.append(error)
    ask(services, command)
    [(person, text)] = chat.ephemerals
    assert person == "UANA"
    assert words in text or "POST /checkout is slow" in text


@refusals
def test_where_the_channel_refuses_too_the_answer_comes_as_a_direct_message(
    services: Services, chat: FakeChat, error: IntegrationError
) -> None:
    opened(services)
    chat.respond_failures.append(error)
    chat.ephemeral_failures.append(RejectedError("Slack", "user_not_in_channel"))
    ask(services)
    [text] = direct(chat)
    assert "POST /checkout is slow" in text


def test_where_every_way_is_refused_the_answer_comes_once_one_is_open_again(
    services: Services, worker: Worker, chat: FakeChat
) -> None:
    opened(services)
    settle(worker)
    chat.respond_failures.append(REFUSALS["expired"])
    chat.ephemeral_failures.append(RetryableError("Slack", "HTTP 500"))
    chat.failures.append(RetryableError("Slack", "HTTP 500"))
    ask(services)
    assert (chat.ephemerals, direct(chat)) == ([], [])
    worker.run_for(59)
    assert "POST /checkout is slow" in chat.ephemerals[0][1]


def test_whoever_cannot_be_looked_up_is_told_that_and_not_that_they_are_a_stranger(
    services: Services, chat: FakeChat
) -> None:
    chat.look_up_failures.append(AuthenticationError("Slack", "missing_scope"))
    ask(services)
    assert "could not check who you are" in chat.responses[0].text
    assert "missing_scope" in chat.responses[0].text


def test_a_look_up_that_fails_for_a_moment_is_told(services: Services, chat: FakeChat) -> None:
    chat.look_up_failures.append(RetryableError("Slack", "HTTP 503"))
    chat.respond_failures.append(REFUSALS["expired"])
    ask(services)
    assert "could not be answered: Slack: HTTP 503" in chat.ephemerals[0][1]


def enqueue(services: Services, actor: str, key: str, **arguments: Any) -> None:
    with services.sessions.begin() as session:
        outbox.enqueue(session, actor, arguments, key=key, now=services.clock())


def pressed(services: Services, action_id: str, value: int) -> None:
    enqueue(
        services, "handle_click", f"click:{action_id}", action_id=action_id, value=str(value), user_id="UANA",
        user_name="ana", channel="C1", message_ts="1", trigger_id="1.2.ana", response_url=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    "error", [RetryableError("Slack", "HTTP 503"), RateLimitedError("Slack", "ratelimited", 120.0)]
)
def test_a_click_whose_presser_cannot_be_looked_up_yet_is_told_once_and_carried_out_later(
    services: Services, worker: Worker, chat: FakeChat, error: IntegrationError
) -> None:
    incident_id = opened(services)
    settle(worker)
    chat.look_up_failures.extend([error] * 6)
    pressed(services, "acknowledge", incident_id)
    worker.run_for(59)
    [(person, text)] = chat.ephemerals
    assert person == "UANA"
    assert "is kept" in text
    chat.look_up_failures.clear()
    worker.run_for(300)
    assert "acknowledge" not in chat.buttons()
    assert len(chat.ephemerals) == 1


def test_a_hiccup_of_a_moment_is_not_told(services: Services, worker: Worker, chat: FakeChat) -> None:
    incident_id = opened(services)
    settle(worker)
    chat.look_up_failures.append(RetryableError("Slack", "HTTP 503"))
    pressed(services, "acknowledge", incident_id)
    worker.run_for(59)
    assert chat.ephemerals == []
    assert "acknowledge" not in chat.buttons()


def test_an_approval_that_cannot_be_checked_yet_is_told(services: Services, worker: Worker, chat: FakeChat) -> None:
    proposal_id = offered(services, opened(services))
    settle(worker)
    chat.look_up_failures.extend([RetryableError("Slack", "HTTP 503")] * 9)
    enqueue(
        services, "handle_submission", "submission", callback_id="confirm_approval", value=f"{proposal_id}:x",
        user_id="UANA", user_name="ana", view_id="V1",
    )  # fmt: skip
    worker.run_for(59)
    assert "is kept" in chat.ephemerals[0][1]


@pytest.mark.parametrize(
    ("callback_id", "value", "words"),
    [
        ("confirm_approval", "1:x", "Your approval could not be recorded"),
        ("confirm_resolve", "1:broken", "The incident could not be resolved"),
        ("confirm_false_alarm", "1:broken", "could not be closed as a false alarm"),
        ("ticket_fields", "1", "No ticket was created"),
    ],
)
def test_a_dialog_that_failed_for_good_is_told_in_its_own_words(
    services: Services, chat: FakeChat, callback_id: str, value: str, words: str
) -> None:
    opened(services)
    given_up = JOBS["handle_submission"].given_up
    assert given_up is not None
    given_up(
        services, reason="Slack: HTTP 503", callback_id=callback_id, value=value, user_id="UANA", user_name="ana",
        view_id="V1",
    )  # fmt: skip
    assert words in chat.ephemerals[0][1]
    assert ("Nothing was merged" in chat.ephemerals[0][1]) is (callback_id == "confirm_approval")


TEAMS: dict[str, IntegrationError] = {
    "limited": RateLimitedError("Teams", "HTTP 429", 120.0),
    "server error": RetryableError("Teams", "HTTP 503"),
    "timeout": RetryableError("Teams", "it did not answer in time"),
    "not allowed": AuthenticationError("Teams", "HTTP 403: the workflow is turned off"),
    "gone": NotFoundError("Teams", "HTTP 404: the webhook was deleted"),
    "moved": RejectedError("Teams", "the address sends on to another one (HTTP 302)"),
    "too large": ContentRefusedError("Teams", "it did not take the message: HTTP 413"),
}


@pytest.mark.parametrize("error", TEAMS.values(), ids=TEAMS)
def test_an_escalation_that_teams_refuses_is_told_in_the_thread_and_works_once_mended(
    services: Services, worker: Worker, chat: FakeChat, error: IntegrationError
) -> None:
    assert isinstance(services.escalation, FakeEscalation)
    incident_id = opened(services)
    settle(worker)
    services.escalation.failures.extend([error] * 9)
    pressed(services, "escalate", incident_id)
    worker.run_for(30)
    [told] = [one.card.text for one in chat.messages.values() if one.thread and str(error) in one.card.text]
    assert "all somebody" in told
    services.escalation.failures.clear()
    if not isinstance(error, RetryableError):
        enqueue(
            services, "handle_click", "again", action_id="escalate", value=str(incident_id), user_id="UANA",
            user_name="ana", channel="C1", message_ts="1", trigger_id="2",
        )  # fmt: skip
    worker.run_for(200)
    assert len(services.escalation.cards) == 1
    assert "Escalated" in chat.thread_titles()
