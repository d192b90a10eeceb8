"""Whatever door a key comes through among the data, nobody reads it back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from workers.services import Services

AT = "2026-02-07T12:00:00Z"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/e/", {"event": "Paid", "properties": {"distinct_id": "u1", "token": "KEY", "plan": "gold"}}),
        ("/batch/", {"api_key": "KEY", "batch": [{"event": "Paid", "distinct_id": "u1", "properties": {"k": "KEY"}}]}),
        ("/track", {"event": "Paid", "properties": {"distinct_id": "u1", "token": "KEY", "$token": "KEY"}}),
        ("/v1/track", {"userId": "u1", "event": "Paid", "writeKey": "KEY", "properties": {"writeKey": "KEY"}}),
        (
            "/2/httpapi",
            {"api_key": "KEY", "events": [{"user_id": "u", "event_type": "P", "user_properties": {"api_key": "KEY"}}]},
        ),
        ("/api/events", {"event": "Paid", "properties": {"user_id": "u1", "timestamp": AT, "a": [{"key": "KEY"}]}}),
        ("/api/v2/logs", [{"message": "sent with KEY", "api_key": "KEY", "service": "shop", "timestamp": AT}]),
        (
            "/loki/api/v1/push",
            {"streams": [{"stream": {"token": "KEY"}, "values": [["1770465540000000000", "x KEY"]]}]},
        ),
    ],
)
def test_a_key_among_the_data_is_never_stored(
    client: TestClient, services: Services, sender: dict[str, str], path: str, body: Any
) -> None:
    key = sender["Authorization"].removeprefix("Bearer ")
    answer = client.post(path, json=json.loads(json.dumps(body).replace("KEY", key)), headers=sender)
    assert answer.status_code < 300, answer.text
    events = list(services.telemetry.recent_events())
    logs = list(services.telemetry.log_samples(since=0.0, until=1e11))
    assert len(events) + len(logs) == 1
    assert key not in repr([events, logs])


def test_a_key_that_an_earlier_version_stored_is_not_shown(
    client: TestClient,
    services: Services,
    sender: dict[str, str],
    operator: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = sender["Authorization"].removeprefix("Bearer ")
    with monkeypatch.context() as earlier:
        earlier.setattr("storage.telemetry.sql.events_without_keys", lambda events: events)
        body = {"event": "Paid", "properties": {"distinct_id": "u1", "token": key, "plan": "gold"}}
        assert client.post("/e/", json=body, headers=sender).status_code == 200
    [stored] = services.telemetry.recent_events()
    assert stored.properties["token"] == key
    [shown] = client.get("/api/events", headers=operator).json()["events"]
    assert shown["properties"] == {"distinct_id": "u1", "plan": "gold"}
