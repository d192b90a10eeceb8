"""A signed Slack payload becomes an outbox row or a message on the broker, and nothing else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
import redis
from dramatiq import Message
from fastapi.testclient import TestClient
from sqlalchemy import select

from bot.slack.app import ACTIONS
from integrations.cards import Modal
from storage.models import OutboxJob
from workers.queueing.queues import PEOPLE
from workers.services import Services

Sign = Callable[..., tuple[bytes, dict[str, str]]]

COMMAND = {
    "command": "/argux",
    "text": "incidents open",
    "user_id": "U0ANA",
    "user_name": "ana",
    "channel_id": "C0INC",
    "team_id": "T0ACME",
    "trigger_id": "1.2",
    "response_url": "https://hooks.slack.example/commands/1",
}


def click_form(action_id: str = "acknowledge", **changes: str) -> dict[str, str]:
    action = {"type": "button", "action_id": action_id, "value": "7", "action_ts": "100.1", "block_id": "b", **changes}
    payload = {
        "type": "block_actions",
        "user": {"id": "U0ANA", "name": "ana", "username": "ana", "team_id": "T0ACME"},
        "team": {"id": "T0ACME"},
        "container": {"type": "message", "message_ts": "99.9", "channel_id": "C0INC", "is_ephemeral": False},
        "channel": {"id": "C0INC", "name": "incidents"},
        "trigger_id": "1.2",
        "response_url": "https://hooks.slack.example/actions/1",
        "actions": [action],
    }
    return {"payload": json.dumps(payload)}


def dialog_form(value: str = "3:abc") -> dict[str, str]:
    view = {"id": "V1", "type": "modal", "callback_id": "confirm_approval", "private_metadata": value, "state": {}}
    user = {"id": "U0ANA", "name": "ana", "team_id": "T0ACME"}
    return {"payload": json.dumps({"type": "view_submission", "user": user, "team": {"id": "T0ACME"}, "view": view})}


def outbox_jobs(services: Services) -> list[OutboxJob]:
    with services.readers() as session:
        return list(session.scalars(select(OutboxJob).order_by(OutboxJob.id)))


def broker_messages(services: Services) -> list[dict[str, Any]]:
    queue = services.broker.queues[PEOPLE]
    messages = [Message.decode(queue.get_nowait()) for _ in range(queue.qsize())]
    return [{"actor": message.actor_name, **message.kwargs} for message in messages]


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if a connection to another system is opened."""

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a Slack listener opened a connection")

    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.usefixtures("no_network")
def test_a_slash_command_is_acknowledged_and_sent_to_the_worker(
    client: TestClient, services: Services, signed: Sign
) -> None:
    body, headers = signed(COMMAND)

    answer = client.post("/slack/events", content=body, headers=headers)

    assert (answer.status_code, answer.text) == (200, "")
    assert broker_messages(services) == [
        {
            "actor": "answer_command",
            "text": "incidents open",
            "user_id": "U0ANA",
            "user_name": "ana",
            "channel": "C0INC",
            "response_url": "https://hooks.slack.example/commands/1",
        }
    ]
    assert outbox_jobs(services) == []


def test_a_slash_command_while_the_broker_is_away_is_answered_with_try_again(
    client: TestClient, services: Services, signed: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(message: object) -> None:
        raise redis.ConnectionError("connection refused")

    monkeypatch.setattr(services.broker, "enqueue", away)
    body, headers = signed(COMMAND)

    answer = client.post("/slack/events", content=body, headers=headers)

    assert answer.status_code == 200
    assert "try again" in answer.text


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("action_id", sorted(ACTIONS))
def test_a_click_is_in_the_outbox_before_it_is_acknowledged(
    client: TestClient, services: Services, signed: Sign, action_id: str
) -> None:
    body, headers = signed(click_form(action_id))

    answer = client.post("/slack/events", content=body, headers=headers)

    assert (answer.status_code, answer.text) == (200, "")
    [job] = outbox_jobs(services)
    assert job.actor == "handle_click"
    assert job.arguments == {
        "action_id": action_id,
        "value": "7",
        "user_id": "U0ANA",
        "user_name": "ana",
        "channel": "C0INC",
        "message_ts": "99.9",
        "thread_ts": None,
        "trigger_id": "1.2",
        "response_url": "https://hooks.slack.example/actions/1",
        "team_id": "T0ACME",
    }
    assert broker_messages(services) == []


def test_a_click_that_opens_a_dialog_is_acknowledged_before_slack_has_opened_it(
    client: TestClient, services: Services, signed: Sign
) -> None:
    go_on, opened = threading.Event(), threading.Event()

    class SlowSlack:
        def open_modal(self, trigger_id: str, modal: Modal) -> None:
            assert go_on.wait(60)
            assert (trigger_id, modal.submit_label) == ("1.2", "")
            opened.set()

    services.chat = SlowSlack()  # type: ignore[assignment]
    body, headers = signed(click_form("approve_fix"))

    assert client.post("/slack/events", content=body, headers=headers).status_code == 200
    assert not opened.is_set()
    assert len(outbox_jobs(services)) == 1
    go_on.set()
    assert opened.wait(60)


def test_a_click_that_slack_sends_again_is_one_job(client: TestClient, services: Services, signed: Sign) -> None:
    for _ in range(3):
        body, headers = signed(click_form())
        assert client.post("/slack/events", content=body, headers=headers).status_code == 200

    assert len(outbox_jobs(services)) == 1


def test_a_second_press_of_the_same_button_is_a_second_job(
    client: TestClient, services: Services, signed: Sign
) -> None:
    for moment in ("100.1", "101.5"):
        body, headers = signed(click_form(action_ts=moment))
        client.post("/slack/events", content=body, headers=headers)

    assert len(outbox_jobs(services)) == 2


def test_a_link_button_is_acknowledged_and_ignored(client: TestClient, services: Services, signed: Sign) -> None:
    body, headers = signed(click_form("open_pull_request"))

    assert client.post("/slack/events", content=body, headers=headers).status_code == 200
    assert outbox_jobs(services) == []


@pytest.mark.usefixtures("no_network")
def test_a_submitted_dialog_is_in_the_outbox_once(client: TestClient, services: Services, signed: Sign) -> None:
    for _ in range(2):
        body, headers = signed(dialog_form())
        assert client.post("/slack/events", content=body, headers=headers).status_code == 200

    [job] = outbox_jobs(services)
    assert (job.actor, job.arguments) == (
        "handle_submission",
        {
            "callback_id": "confirm_approval",
            "value": "3:abc",
            "user_id": "U0ANA",
            "user_name": "ana",
            "view_id": "V1",
            "team_id": "T0ACME",
        },
    )


def test_what_is_typed_and_chosen_in_a_dialog_is_in_the_outbox(
    client: TestClient, services: Services, signed: Sign
) -> None:
    option = {"text": {"type": "plain_text", "text": "Search"}, "value": "12"}
    values = {
        "customfield_1": {"answer": {"type": "static_select", "selected_option": option}},
        "customfield_2": {"answer": {"type": "plain_text_input", "value": "47"}},
        "customfield_3": {"answer": {"type": "static_select", "selected_option": None}},
    }
    form = json.loads(dialog_form("7")["payload"])
    form["view"]["state"] = {"values": values}
    body, headers = signed({"payload": json.dumps(form)})
    assert client.post("/slack/events", content=body, headers=headers).status_code == 200
    [job] = outbox_jobs(services)
    assert job.arguments["answers"] == {"customfield_1": "12", "customfield_2": "47"}


def test_a_click_that_cannot_be_stored_is_not_acknowledged(
    client: TestClient, services: Services, signed: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object, **options: object) -> bool:
        raise OSError("no space left on device")

    monkeypatch.setattr("storage.outbox.enqueue", full)
    body, headers = signed(click_form())

    assert client.post("/slack/events", content=body, headers=headers).status_code == 500


@pytest.mark.parametrize(
    "changed",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": ""},
        {"X-Slack-Request-Timestamp": "1"},
        {"X-Slack-Request-Timestamp": "soon"},
    ],
)
def test_a_bad_signature_is_401_and_no_job_is_stored(
    client: TestClient, services: Services, signed: Sign, changed: dict[str, str]
) -> None:
    body, headers = signed(click_form())

    answer = client.post("/slack/events", content=body, headers={**headers, **changed})

    assert answer.status_code == 401
    assert outbox_jobs(services) == []


def test_a_payload_signed_with_another_secret_is_401(client: TestClient, services: Services, signed: Sign) -> None:
    body, headers = signed(COMMAND, secret="another")

    assert client.post("/slack/events", content=body, headers=headers).status_code == 401
    assert broker_messages(services) == []


def test_without_a_signing_secret_there_is_no_slack_door(services: Services) -> None:
    from bot.web.app import create_app

    services.settings = services.settings.model_copy(update={"slack_signing_secret": None})

    assert TestClient(create_app(services)).post("/slack/events", content=b"").status_code == 404
