"""A sender whose clock is wrong says when it sent; what happened is stored at the time it really happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.scenarios.bot.conftest import NOW
from workers.services import Services

HERE = NOW.timestamp()
AGE = 12.0
Send = Callable[[TestClient, str, float], Any]


@pytest.fixture
def key(sender: dict[str, str]) -> str:
    return sender["Authorization"].removeprefix("Bearer ")


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def posthog_batch(client: TestClient, key: str, there: float) -> Any:
    batch = [{"event": "e", "distinct_id": "u1", "timestamp": iso(there - AGE)}]
    return client.post("/batch/", json={"api_key": key, "sent_at": iso(there), "batch": batch})


def posthog_event(client: TestClient, key: str, there: float) -> Any:
    body = {"api_key": key, "event": "e", "distinct_id": "u1", "timestamp": iso(there - AGE), "sentAt": iso(there)}
    return client.post("/capture/", json=body)


def posthog_url(client: TestClient, key: str, there: float) -> Any:
    body = [{"event": "e", "timestamp": iso(there - AGE), "properties": {"distinct_id": "u1", "token": key}}]
    return client.post(f"/e/?ip=0&_={int(there * 1000)}&ver=1.90", json=body)


def segment_batch(client: TestClient, key: str, there: float) -> Any:
    batch = [{"type": "track", "event": "e", "userId": "u1", "messageId": "m1", "timestamp": iso(there - AGE)}]
    return client.post("/v1/batch", json={"writeKey": key, "sentAt": iso(there), "batch": batch})


def segment_message(client: TestClient, key: str, there: float) -> Any:
    message = {"event": "e", "anonymousId": "u1", "originalTimestamp": iso(there - AGE), "sentAt": iso(there)}
    return client.post("/v1/track", json={"writeKey": key, **message})


def amplitude(client: TestClient, key: str, there: float) -> Any:
    events = [{"device_id": "u1", "event_type": "e", "time": int((there - AGE) * 1000)}]
    return client.post("/2/httpapi", json={"api_key": key, "events": events, "client_upload_time": iso(there)})


def mixpanel(client: TestClient, key: str, there: float) -> Any:
    one = {"event": "e", "properties": {"token": key, "distinct_id": "u1", "time": there - AGE}}
    return client.post(f"/track/?verbose=1&_={int(there * 1000)}", data={"data": json.dumps([one])})


def own_door(client: TestClient, key: str, there: float) -> Any:
    body = {"event": "e", "user_id": "u1", "timestamp": there - AGE, "sent_at": there}
    return client.post("/api/events", json=body, headers={"X-API-Key": key})


DOORS = [posthog_batch, posthog_event, posthog_url, segment_batch, segment_message, amplitude, mixpanel, own_door]


@pytest.mark.parametrize("error", [9 * 3600.0, 90.0, -7 * 86_400.0])
@pytest.mark.parametrize("send", DOORS)
def test_an_event_of_a_wrong_clock_is_stored_when_it_happened(
    client: TestClient, services: Services, key: str, send: Send, error: float
) -> None:
    assert send(client, key, HERE + error).status_code in (200, 201)
    (event,) = services.telemetry.recent_events()
    assert event.happened_at == pytest.approx(HERE - AGE, abs=0.01)


@pytest.mark.parametrize("send", DOORS)
def test_a_right_clock_is_left_alone(client: TestClient, services: Services, key: str, send: Send) -> None:
    assert send(client, key, HERE).status_code in (200, 201)
    (event,) = services.telemetry.recent_events()
    assert event.happened_at == pytest.approx(HERE - AGE, abs=0.01)


def test_an_event_that_asks_for_its_time_as_it_is_keeps_it(client: TestClient, services: Services, key: str) -> None:
    properties = {"$ignore_sent_at": True}
    old = {"event": "e", "distinct_id": "u1", "timestamp": iso(HERE - 9 * 86_400), "properties": properties}
    client.post("/batch/", json={"api_key": key, "sent_at": iso(HERE - 5 * 86_400), "batch": [old]})
    (event,) = services.telemetry.recent_events()
    assert event.happened_at == pytest.approx(HERE - 9 * 86_400)


def test_a_message_that_segment_has_corrected_already_is_not_corrected_again(
    client: TestClient, services: Services, key: str
) -> None:
    device = HERE + 5 * 3600
    message = {
        "event": "e", "userId": "u1", "timestamp": iso(HERE - AGE), "originalTimestamp": iso(device - AGE),
        "sentAt": iso(device), "receivedAt": iso(HERE),
    }  # fmt: skip
    assert client.post("/v1/track", json={"writeKey": key, **message}).status_code == 200
    (event,) = services.telemetry.recent_events()
    assert event.happened_at == pytest.approx(HERE - AGE)


def test_an_event_with_an_offset_happened_that_many_milliseconds_before_it_came(
    client: TestClient, services: Services, key: str
) -> None:
    events = [
        {"event": "e", "offset": offset, "properties": {"distinct_id": str(offset), "token": key}}
        for offset in (90_000, 0, "soon", None, -3)
    ]
    assert client.post("/e/?_=17", json=events).json()["accepted"] == 5
    found = {event.user_id: HERE - event.happened_at for event in services.telemetry.recent_events()}
    assert found == pytest.approx({"90000": 90.0, "0": 0.0, "soon": 0.0, "None": 0.0, "-3": 0.0}, abs=0.01)


@pytest.mark.parametrize("error", [4 * 3600.0, -30 * 86_400.0, 0.0])
def test_crashes_and_logs_of_a_device_whose_clock_is_wrong_are_stored_when_they_happened(
    client: TestClient, services: Services, key: str, error: float
) -> None:
    there = HERE + error
    crash = {"event_id": "ab" * 16, "timestamp": iso(there - AGE), "exception": {"values": [{"type": "Jam"}]}}
    logs = {"items": [{"timestamp": there - AGE, "level": "warn", "body": "low ink"}]}
    lines = [{"sent_at": iso(there)}, {"type": "event"}, crash, {"type": "log", "item_count": 1}, logs]
    answer = client.post(
        "/api/7/envelope/",
        content="".join(f"{json.dumps(line)}\n" for line in lines),
        headers={"X-Sentry-Auth": f"Sentry sentry_key={key}", "Content-Type": "application/x-sentry-envelope"},
    )
    assert answer.status_code == 200
    found = {record.body: record.happened_at for record in services.telemetry.log_samples(since=0, until=2e9)}
    assert found == pytest.approx({"Jam": HERE - AGE, "low ink": HERE - AGE}, abs=0.01)


@pytest.mark.parametrize(("written", "age"), [("2026-02-07 16:29:00", 0.0), ("2026-02-07T12:29:00", 60.0)])
@pytest.mark.parametrize("door", ["elasticsearch", "datadog"])
def test_a_time_without_a_zone_is_utc_unless_that_lies_in_the_future(
    client: TestClient, services: Services, key: str, door: str, written: str, age: float
) -> None:
    if door == "datadog":
        body = [{"message": "low ink", "timestamp": written}]
        assert client.post("/api/v2/logs", json=body, headers={"DD-API-KEY": key}).status_code == 202
    else:
        action: dict[str, Any] = {"index": {}}
        content = f"{json.dumps(action)}\n{json.dumps({'message': 'm', '@timestamp': written})}\n"
        told = {"X-API-Key": key, "Content-Type": "application/x-ndjson"}
        assert client.post("/press/_bulk", content=content, headers=told).json()["errors"] is False
    (record,) = services.telemetry.log_samples(since=0, until=2e9)
    assert HERE - record.happened_at == pytest.approx(age, abs=0.01)
