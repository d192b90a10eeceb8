"""The doors of Segment, Amplitude, Mixpanel and PostHog answer in the format of their libraries."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from workers.services import Services

NOON = 1_770_465_600


def basic(user: str, password: str = "") -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.fixture
def key(sender: dict[str, str]) -> str:
    return sender["Authorization"].removeprefix("Bearer ")


def users(services: Services) -> list[str]:
    return sorted(event.user_id for event in services.telemetry.recent_events())


def message(user: str, **changes: Any) -> dict[str, Any]:
    return {"type": "track", "userId": user, "event": "Paid", "timestamp": "2026-02-07T12:00:00Z", **changes}


def amplitude(key: str, *changes: dict[str, Any]) -> dict[str, Any]:
    events = [{"user_id": "u1", "event_type": "Paid", "insert_id": f"i-{n}", **each} for n, each in enumerate(changes)]
    return {"api_key": key, "events": events}


def mixpanel(key: str, user: str, **properties: Any) -> dict[str, Any]:
    return {"event": "Paid", "properties": {"token": key, "distinct_id": user, "time": NOON, **properties}}


def test_segments_write_key_may_be_the_basic_user_name_or_in_the_body(
    client: TestClient, services: Services, key: str
) -> None:
    by_header = client.post("/v1/batch", json={"batch": [message("u1")]}, headers=basic(key))
    by_body = client.post("/v1/track", json={**message("u2"), "writeKey": key})
    without = client.post("/v1/batch", json={"batch": [message("u3")]})
    wrong = client.post("/v1/batch", json={"batch": [message("u3")]}, headers=basic("argux_wrong"))

    assert by_header.json() == {"success": True, "accepted": 1, "duplicates": 0}
    assert (by_body.status_code, without.status_code, wrong.status_code) == (200, 401, 401)
    assert users(services) == ["u1", "u2"]


@pytest.mark.parametrize("call", ["identify", "page", "screen", "group", "alias"])
def test_each_segment_path_is_a_type_of_message(client: TestClient, services: Services, key: str, call: str) -> None:
    assert client.post(f"/v1/{call}", json={"userId": "u1"}, headers=basic(key)).status_code == 200
    assert [event.event for event in services.telemetry.recent_events()] == [call]


def test_a_segment_batch_with_an_invalid_message_stores_the_others(
    client: TestClient, services: Services, key: str
) -> None:
    batch = [message("u1"), message("u2", event=None), message("u3")]
    answer = client.post("/v1/batch", json={"batch": batch}, headers=basic(key))
    alone = client.post("/v1/track", json=message("u2", event=None), headers=basic(key))

    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    assert answer.json()["rejected"][0]["field"] == "batch[1].event"
    assert (alone.status_code, alone.json()["error"]["field"]) == (422, "event")
    assert 'argux_ingest_rejected_total{door="segment",reason="malformed"} 2.0' in client.get("/metrics").text


@pytest.mark.parametrize("path", ["/2/httpapi", "/batch"])
def test_amplitude_gets_its_own_response_format(client: TestClient, services: Services, key: str, path: str) -> None:
    good = client.post(path, json=amplitude(key, {}, {}))
    mixed = client.post(path, json=amplitude(key, {}, {"event_type": 7}))
    wrong_key = client.post(path, json=amplitude("argux_wrong", {}))
    garbage = client.post(path, content=b"{", headers={"Content-Type": "application/json"})

    assert good.json() == {"code": 200, "events_ingested": 2}
    assert (mixed.status_code, mixed.json()["events_with_invalid_fields"]) == (400, {"event_type": [1]})
    assert wrong_key.json()["code"] == 401
    assert wrong_key.json()["error"].startswith("Invalid API key:")
    assert (garbage.status_code, garbage.json()["code"]) == (400, 400)
    assert len(services.telemetry.recent_events()) == 2
    assert 'argux_ingest_accepted_total{door="amplitude"} 2.0' in client.get("/metrics").text


def test_mixpanels_import_is_strict_by_default_and_lenient_on_request(
    client: TestClient, services: Services, key: str
) -> None:
    batch = [mixpanel(key, "u1"), mixpanel(key, "u2", time=None)]
    strict = client.post("/import?strict=1", json=batch, headers=basic("service", key))
    lenient = client.post("/import?strict=0", json=batch, headers=basic("service", key))
    lines = gzip.compress(b"\n".join(json.dumps(mixpanel(key, f"l{n}")).encode() for n in range(3)))
    headers = {**basic(key), "Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    ndjson = client.post("/import", content=lines, headers=headers)

    assert (strict.status_code, strict.json()["num_records_imported"], strict.json()["status"]) == (400, 1, 0)
    assert strict.json()["failed_records"] == [
        {"index": 1, "field": "[1].properties.time", "message": "is missing"},
    ]
    assert (lenient.status_code, lenient.json()["num_records_imported"]) == (200, 1)
    assert ndjson.json() == {"code": 200, "status": 1, "num_records_imported": 3}
    assert users(services) == ["l0", "l1", "l2", "u1"]


def test_mixpanels_track_reports_the_reason_of_a_refusal(client: TestClient, services: Services, key: str) -> None:
    good = client.post("/track", data={"data": json.dumps(mixpanel(key, "u1")), "verbose": "1"})
    bad = client.post("/track/", json=mixpanel(key, ""))
    wrong_key = client.post("/track", json=mixpanel("argux_wrong", "u2"))

    assert good.json() == {"status": 1, "error": None, "num_good_events": 1}
    assert bad.json()["status"] == 0
    assert "distinct_id: is missing" in bad.json()["error"]
    assert (wrong_key.status_code, wrong_key.json()["status"]) == (401, 0)
    assert users(services) == ["u1"]


def test_a_repeated_delivery_is_stored_once_at_every_door(client: TestClient, services: Services, key: str) -> None:
    deliveries: list[tuple[str, Any]] = [
        ("/v1/batch", {"writeKey": key, "batch": [message("u1", messageId="m-1")]}),
        ("/2/httpapi", amplitude(key, {})),
        ("/track", mixpanel(key, "u1", **{"$insert_id": "i-1"})),
        ("/e/", {"api_key": key, "event": "paid", "distinct_id": "u1", "uuid": "e-1"}),
    ]
    for path, body in deliveries * 2:
        assert client.post(path, json=body).status_code == 200
    assert len(services.telemetry.recent_events()) == len(deliveries)


def test_a_posthog_exception_is_stored_as_a_log_record_and_not_as_an_event(
    client: TestClient, services: Services, key: str
) -> None:
    exception = {"event": "$exception", "distinct_id": "u1", "timestamp": NOON, "properties": {"service": "shop"}}
    body = {"api_key": key, "batch": [exception, {"event": "paid", "distinct_id": "u1"}]}

    assert client.post("/batch/", json=body).json() == {"status": "Ok", "accepted": 2, "duplicates": 0}
    assert [event.event for event in services.telemetry.recent_events()] == ["paid"]
    [record] = services.telemetry.log_samples(since=NOON, until=NOON + 1)
    assert (record.service, record.severity) == ("shop", "ERROR")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/batch", b"[" * 30_000),
        ("/2/httpapi", b'{"events": [' + b"[" * 30_000),
        ("/track", b"\xff\xfe"),
        ("/import", b'{"event": "\xff"}'),
        ("/batch/", b"{" * 30_000),
    ],
)
def test_garbage_is_refused_with_a_json_answer(
    client: TestClient, sender: dict[str, str], path: str, body: bytes
) -> None:
    for content_type in ("application/json", "image/png"):
        answer = client.post(path, content=body, headers={**sender, "Content-Type": content_type})
        assert answer.status_code in (200, 400, 415, 422)
        assert answer.json()
