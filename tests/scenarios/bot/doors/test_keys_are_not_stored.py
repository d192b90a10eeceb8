"""Whatever door a key comes through among the data, nobody reads it back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from storage.models import Alert
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


ALERT = {
    "status": "firing",
    "labels": {"alertname": "Whey", "service": "vat"},
    "annotations": {"summary": "login fails: password=br1ne", "runbook": "https://u:br1ne@wiki/"},
    "startsAt": AT,
    "generatorURL": "https://u:br1ne@prometheus/",
    "fingerprint": "f1",
}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/alertmanager/webhook", {"version": "4", "status": "firing", "groupKey": "g", "alerts": [ALERT]}),
        ("/datadog/webhook", {"id": "1", "title": "login: api_key=br1ne", "alert_transition": "Triggered"}),
        ("/api/v2/logs", [{"message": "GET /in?access_token=br1ne", "ddtags": "service:vat", "password": "br1ne"}]),
        ("/v1/track", {"userId": "u1", "event": "P", "properties": {"headers": {"Authorization": "Bearer br1ne"}}}),
        ("/api/events", {"event": "P", "properties": {"user_id": "u1", "timestamp": AT, "dsn": "pg://a:br1ne@b/"}}),
    ],
)
def test_another_systems_secret_is_neither_stored_nor_shown(
    client: TestClient,
    services: Services,
    sender: dict[str, str],
    operator: dict[str, str],
    path: str,
    body: Any,
) -> None:
    answer = client.post(path, json=body, headers=sender)
    assert answer.status_code < 300, answer.text
    events = list(services.telemetry.recent_events())
    logs = list(services.telemetry.log_samples(since=0.0, until=1e11))
    assert len(events) + len(logs) == 1
    with services.sessions() as session:
        alerts = [(alert.name, alert.summary, alert.url) for alert in session.scalars(select(Alert))]
    assert "br1ne" not in repr([events, logs, alerts])
    assert "br1ne" not in client.get("/api/doors", headers=operator).text


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
