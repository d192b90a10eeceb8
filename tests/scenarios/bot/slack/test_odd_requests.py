"""Whatever is sent to Slack's door is refused with a reason: unsigned 401, signed but odd 400, and never a 500."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_bolt import BoltRequest
from sqlalchemy import select

from bot.slack.app import create_slack_app
from storage.models import OutboxJob
from tests.scenarios.bot.conftest import SIGNING_SECRET
from tests.scenarios.bot.slack.test_slack_door import Sign, click_form, dialog_form
from workers.services import Services

FORM = "application/x-www-form-urlencoded"
PAYLOADS = [json.loads(form()["payload"]) for form in (click_form, dialog_form)]
ODD: list[Any] = [None, True, 0, -1, 1e308, "", "\x00", [], [1], {}, {"a": {"b": []}}, "x" * 5000]


def signed_bytes(body: bytes, *, at: float | None = None) -> dict[str, str]:
    sent_at = str(int(time.time() if at is None else at))
    mac = hmac.new(SIGNING_SECRET.encode(), f"v0:{sent_at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"Content-Type": FORM, "X-Slack-Request-Timestamp": sent_at, "X-Slack-Signature": f"v0={mac}"}


def stored(services: Services) -> list[OutboxJob]:
    with services.readers() as session:
        return list(session.scalars(select(OutboxJob)))


BODIES = [
    b"payload=notjson",
    b"payload=",
    b"payload=%ff%fe",
    b"\xff\xfe\x00",
    b"payload=[]",
    b"payload=7",
    b"payload=null",
    b"payload=" + b"[" * 100_000,
    b"payload=" + b'{"a":' * 50_000,
    b"payload=" + b"9" * 10_000,
    b"payload=%7B%22type%22%3A%22block_actions%22%7D",
    b"payload=%7B%22type%22%3A%22view_submission%22%7D",
    b"payload=%7B%22type%22%3A%7B%7D%7D",
    b"&".join(b"a=1" for _ in range(5_000)),
    b"",
    b"command=%2Fargux",
    b'{"type": "block_actions"}',
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:40]))
def test_an_unsigned_body_is_401_whatever_it_holds_and_a_signed_odd_one_is_400_with_a_reason(
    client: TestClient, services: Services, body: bytes
) -> None:
    unsigned = client.post("/slack/events", content=body, headers={"Content-Type": FORM})
    assert unsigned.status_code == 401
    answer = client.post("/slack/events", content=body, headers=signed_bytes(body))
    assert answer.status_code == 400, answer.text
    assert len(answer.json()["error"]["message"]) > 10
    assert stored(services) == []


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value within a JSON document."""
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path, *(found for key, value in inside for found in places(value, (*path, key)))]


def changed(payload: dict[str, Any], path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy with one value changed; with `...`, one left out."""
    copy: Any = json.loads(json.dumps(payload))
    if not path:
        return None if value is ... else value
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    if value is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return copy


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_signed_payload_with_any_value_changed_or_left_out_is_never_a_500(
    client: TestClient, signed: Sign, data: st.DataObject
) -> None:
    payload = data.draw(st.sampled_from(PAYLOADS))
    path = data.draw(st.sampled_from(places(payload)))
    odd = changed(payload, path, data.draw(st.sampled_from([..., *ODD])))
    body, headers = signed({"payload": json.dumps(odd)})

    assert client.post("/slack/events", content=body, headers=headers).status_code in (200, 400, 404)


@pytest.mark.parametrize("age", [301, -301, 86_400])
def test_a_signed_request_that_is_too_old_or_from_the_future_is_refused(
    client: TestClient, services: Services, age: float, signed: Sign
) -> None:
    body, _ = signed(click_form())

    answer = client.post("/slack/events", content=body, headers=signed_bytes(body, at=time.time() - age))

    assert answer.status_code == 401
    assert "replay" in answer.json()["error"]["message"]
    assert stored(services) == []


def test_a_tampered_byte_is_401(client: TestClient, services: Services, signed: Sign) -> None:
    body, headers = signed(click_form())
    for place in range(0, len(body), 97):
        tampered = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert client.post("/slack/events", content=tampered, headers=headers).status_code == 401
    assert stored(services) == []


def test_a_replayed_click_does_nothing_twice(client: TestClient, services: Services, signed: Sign) -> None:
    body, headers = signed(click_form())
    for _ in range(5):
        assert client.post("/slack/events", content=body, headers=headers).status_code == 200
    assert len(stored(services)) == 1


@pytest.mark.parametrize("payload", [{"type": "block_actions"}, {"type": "view_submission", "view": {}}])
def test_an_odd_payload_of_the_socket_is_refused_before_a_listener_sees_it(
    services: Services, payload: dict[str, Any]
) -> None:
    answer = create_slack_app(services).dispatch(BoltRequest(mode="socket_mode", body=payload))

    assert answer.status == 400
    assert stored(services) == []


def test_a_body_over_a_megabyte_is_413(client: TestClient) -> None:
    assert client.post("/slack/events", content=b"a" * 1_000_001, headers={"Content-Type": FORM}).status_code == 413
