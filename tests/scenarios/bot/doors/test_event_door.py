"""POST /api/events: what is stored, what is refused, and what the answer contains."""

from __future__ import annotations

import gzip
import json

import pytest
from fastapi.testclient import TestClient

from workers.services import Services


def page_view(user: str, **properties: object) -> dict[str, object]:
    return {
        "event": "page_view",
        "properties": {"user_id": user, "timestamp": "2026-02-07T12:00:00Z", "page": "/signup", **properties},
    }


def stored_users(services: Services) -> list[str]:
    return sorted(event.user_id for event in services.telemetry.recent_events())


def test_an_event_is_stored_before_the_answer(client: TestClient, services: Services, sender: dict[str, str]) -> None:
    answer = client.post("/api/events", json=page_view("u1"), headers=sender)

    assert (answer.status_code, answer.json()) == (201, {"accepted": 1, "duplicates": 0})
    [event] = services.telemetry.recent_events()
    assert (event.event, event.user_id, event.happened_at) == ("page_view", "u1", 1770465600.0)
    assert event.properties["page"] == "/signup"


def test_events_that_are_too_old_for_any_funnel_are_counted_in_the_answer(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    old, new = page_view("u1", timestamp="2025-06-01T12:00:00Z"), page_view("u2")

    one = client.post("/api/events", json=old, headers=sender)
    both = client.post("/api/events", json=[{**old, "event_id": "other"}, new], headers=sender)

    assert (one.status_code, one.json()["accepted"], one.json()["too_old"]) == (201, 1, 1)
    assert "older than 35 days" in one.json()["note"]
    assert (both.json()["accepted"], both.json()["too_old"]) == (2, 1)
    assert stored_users(services) == ["u1", "u1", "u2"]


def test_an_array_and_ndjson_hold_several_events(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    array = client.post("/api/events", json=[page_view("u1"), page_view("u2")], headers=sender)
    lines = "\n".join(json.dumps(page_view(user)) for user in ("u3", "u4"))
    ndjson = client.post("/api/events", content=lines, headers={**sender, "Content-Type": "application/x-ndjson"})

    assert array.json() == ndjson.json() == {"accepted": 2, "duplicates": 0}
    assert stored_users(services) == ["u1", "u2", "u3", "u4"]


def test_a_gzipped_body_is_read(client: TestClient, services: Services, sender: dict[str, str]) -> None:
    body = gzip.compress(json.dumps(page_view("u1")).encode())
    headers = {**sender, "Content-Type": "application/json", "Content-Encoding": "gzip"}

    assert client.post("/api/events", content=body, headers=headers).status_code == 201
    assert stored_users(services) == ["u1"]


def test_the_same_event_id_sent_again_is_a_duplicate(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    event = {**page_view("u1"), "event_id": "e-1"}

    client.post("/api/events", json=event, headers=sender)
    again = client.post("/api/events", json=event, headers=sender)

    assert (again.status_code, again.json()) == (201, {"accepted": 0, "duplicates": 1})
    assert stored_users(services) == ["u1"]


def test_a_malformed_event_does_not_affect_the_valid_ones_of_its_batch(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    batch = [page_view("u1"), page_view("u2", timestamp="yesterday"), page_view("u3")]

    answer = client.post("/api/events", json=batch, headers=sender)

    assert answer.status_code == 422
    body = answer.json()
    assert (body["accepted"], body["duplicates"]) == (2, 0)
    [rejected] = body["rejected"]
    assert (rejected["index"], rejected["field"]) == (1, "[1].properties.timestamp")
    assert body["error"] == {
        "message": "2 of 3 events were stored; mend the rejected ones and send those again",
        "field": "[1].properties.timestamp",
    }
    assert stored_users(services) == ["u1", "u3"]


def test_a_body_that_is_not_json_is_422(client: TestClient, sender: dict[str, str]) -> None:
    headers = {**sender, "Content-Type": "application/json"}

    answer = client.post("/api/events", content=b'{"event": ', headers=headers)

    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", ["text/html", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_415_and_the_answer_names_the_right_ones(
    client: TestClient, sender: dict[str, str], kind: str
) -> None:
    answer = client.post("/api/events", content=b"{}", headers={**sender, "Content-Type": kind})

    assert answer.status_code == 415
    assert "application/json or application/x-ndjson" in answer.json()["error"]["message"]


def test_an_unknown_content_encoding_is_415(client: TestClient, sender: dict[str, str]) -> None:
    headers = {**sender, "Content-Type": "application/json", "Content-Encoding": "br"}

    assert client.post("/api/events", content=b"{}", headers=headers).status_code == 415


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer argux_wrong"}, {"X-API-Key": "wrong"}, {"Authorization": "Basic YTpi"}]
)
def test_a_wrong_or_missing_key_is_401_and_stores_nothing(
    client: TestClient, services: Services, headers: dict[str, str]
) -> None:
    answer = client.post("/api/events", json=page_view("u1"), headers=headers)

    assert answer.status_code == 401
    assert "key" in answer.json()["error"]["message"]
    assert stored_users(services) == []


def test_the_key_may_come_in_its_own_header(client: TestClient, sender: dict[str, str]) -> None:
    secret = sender["Authorization"].removeprefix("Bearer ")

    assert client.post("/api/events", json=page_view("u1"), headers={"X-API-Key": secret}).status_code == 201


def test_the_counters_of_a_door_are_exported_to_prometheus(client: TestClient, sender: dict[str, str]) -> None:
    client.post("/api/events", json=[page_view("u1"), {"event": ""}], headers=sender)
    client.post("/api/events", json=page_view("u1"))

    numbers = client.get("/metrics").text

    assert 'argux_ingest_accepted_total{door="events"} 1.0' in numbers
    assert 'argux_ingest_rejected_total{door="events",reason="malformed"} 1.0' in numbers
    assert 'argux_ingest_rejected_total{door="events",reason="unauthorized"} 1.0' in numbers
