"""Socket Mode: while Slack is unreachable, and what is sent that Slack would not send."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.slack.app import create_slack_app
from bot.slack.socket import LONGEST_WAIT_SECONDS, SocketListener
from bot.web.app import create_app
from tests.scenarios.bot.slack.test_slack_door import click_form, outbox_jobs
from workers.services import Services


def test_argux_starts_serves_and_stops_while_slack_is_down(services: Services) -> None:
    services.settings = services.settings.model_copy(
        update={"slack_app_token": SecretStr("xapp-1"), "slack_api_url": "http://127.0.0.1:1/slack/api/"}
    )

    with TestClient(create_app(services)) as client:
        assert client.get("/health").status_code == 200
        stopping = time.monotonic()

    assert time.monotonic() - stopping < LONGEST_WAIT_SECONDS / 2


class Connection:
    """Stands in for the connection: it keeps the acknowledgements."""

    def __init__(self) -> None:
        self.acknowledged: list[dict[str, Any]] = []
        self.logger = logging.getLogger("test of the socket")

    def send_socket_mode_response(self, response: Any) -> None:
        self.acknowledged.append(response.to_dict())


@pytest.fixture
def listener(services: Services) -> Iterator[SocketListener]:
    made = SocketListener(create_slack_app(services), "xapp-1")
    yield made
    made.close()


def true_click(value: str = "7") -> dict[str, Any]:
    return dict(json.loads(click_form(value=value)["payload"]))


ODD: list[Any] = [
    None, 7, "text", [], {}, [{}], {"type": 7}, {"type": "block_actions"}, {"type": "view_submission", "view": 7},
    {"type": "block_actions", "user": "U1"}, {"team": 7}, {"enterprise": [1]}, {"type": "block_actions", "team": "T"},
    {**true_click(), "actions": [7]}, {**true_click(), "container": None}, {**true_click(), "user": {"id": 7}},
    true_click("\x00"), true_click("\ud800"), {"command": 7}, {"command": "/argux", "text": None},
]  # fmt: skip


def test_an_odd_payload_is_acknowledged_and_refused_and_the_next_click_is_taken(
    services: Services, listener: SocketListener
) -> None:
    for kind in ("interactive", "slash_commands", "events_api"):
        for payload in ODD:
            connection: Any = Connection()
            listener.receive(connection, {"type": kind, "envelope_id": "1", "payload": payload})
            listener.receive(connection, {"type": "interactive", "envelope_id": "2", "payload": true_click()})
            assert [one["envelope_id"] for one in connection.acknowledged] == ["1", "2"], payload
            told = connection.acknowledged[0].get("payload")
            assert len(told["text"]) > 10 if kind == "slash_commands" else told is None, payload
    assert [job.arguments["value"] for job in outbox_jobs(services)] == ["7"]


def test_a_message_that_is_no_envelope_is_left_alone(services: Services, listener: SocketListener) -> None:
    connection: Any = Connection()
    for message in ({}, {"type": "hello"}, {"envelope_id": 7, "type": "interactive"}, {"type": [], "envelope_id": "1"}):
        listener.receive(connection, message)
    assert connection.acknowledged == []
    assert outbox_jobs(services) == []


def test_the_connection_goes_on_after_text_that_is_no_json(services: Services, listener: SocketListener) -> None:
    client = listener._handler.client
    for text in ("null", "[]", "{", '{"a":' * 50_000, "", "{}"):
        client.enqueue_message(text)
    sent: list[Any] = []
    acknowledged = threading.Event()

    def acknowledge(response: Any) -> None:
        sent.append(response)
        acknowledged.set()

    client.send_socket_mode_response = acknowledge  # type: ignore[method-assign]
    client.enqueue_message(json.dumps({"type": "interactive", "envelope_id": "1", "payload": true_click()}))
    assert acknowledged.wait(60)
    assert [one.envelope_id for one in sent] == ["1"]
    assert len(outbox_jobs(services)) == 1
