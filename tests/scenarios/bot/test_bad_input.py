"""Bad input at the doors is refused and counted, and the valid data beside it is stored."""

from __future__ import annotations

import gzip
import json

import pytest
from fastapi.testclient import TestClient

from tests.scenarios.bot.doors.test_event_door import page_view, stored_users
from workers.services import Services

GOOD = json.dumps(page_view("good")).encode()
MEGABYTE = 1_000_000


def rejected_count(client: TestClient, door: str, reason: str) -> float:
    """Return how many records or requests were refused so far, from the Prometheus metrics."""
    wanted = f'argux_ingest_rejected_total{{door="{door}",reason="{reason}"}} '
    lines = [line for line in client.get("/metrics").text.splitlines() if line.startswith(wanted)]
    return float(lines[0].removeprefix(wanted)) if lines else 0.0


@pytest.mark.parametrize(
    "bad",
    [
        b'{"event": "page_view", "properties": {"user_id": "u", "timestamp": NaN}}',
        json.dumps(page_view("u", timestamp="9999-12-31T00:00:00Z")).encode(),
        json.dumps(page_view("u", timestamp="1969-12-31T23:59:59Z")).encode(),
        b'{"event": "\xff\xfe", "properties": {"user_id": "u", "timestamp": 1770465600}}',
        json.dumps(page_view("u" * MEGABYTE)).encode(),
        json.dumps({**page_view("u"), "event": "e" * MEGABYTE}).encode(),
    ],
    ids=["NaN", "far future", "far past", "invalid UTF-8", "1 MB user", "1 MB name"],
)
@pytest.mark.parametrize("form", ["array", "lines"])
def test_a_bad_event_is_refused_and_counted_and_the_good_ones_beside_it_are_kept(
    bad: bytes, form: str, client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    body = b"[" + b",".join([GOOD, bad]) + b"]" if form == "array" else b"\n".join([GOOD, bad])
    kind = "application/json" if form == "array" else "application/x-ndjson"

    answer = client.post("/api/events", content=body, headers={**sender, "Content-Type": kind})

    assert (answer.status_code, answer.json()["accepted"]) == (422, 1)
    [refused] = answer.json()["rejected"]
    assert refused["index"] == 1
    assert refused["field"].startswith("[1]")
    assert stored_users(services) == ["good"]
    assert rejected_count(client, "events", "malformed") == 1


def test_a_truncated_gzip_is_refused_and_counted_and_the_complete_one_is_stored(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    whole = gzip.compress(GOOD)
    headers = {**sender, "Content-Type": "application/json", "Content-Encoding": "gzip"}

    cut = client.post("/api/events", content=whole[:-9], headers=headers)

    assert (cut.status_code, "error" in cut.json()) == (422, True)
    assert (stored_users(services), rejected_count(client, "events", "malformed")) == ([], 1)
    assert client.post("/api/events", content=whole, headers=headers).status_code == 201


def test_a_gzip_bomb_of_ten_gigabytes_is_refused_before_it_is_unpacked(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    layer = gzip.compress(b"\x00" * 10_000_000, mtime=0)
    bomb = layer * 1000
    assert len(bomb) < 10 * MEGABYTE
    headers = {**sender, "Content-Type": "application/json", "Content-Encoding": "gzip"}

    answer = client.post("/api/events", content=bomb, headers=headers)

    assert answer.status_code == 413
    assert (stored_users(services), rejected_count(client, "events", "too_large")) == ([], 1)


def test_the_same_id_twice_in_one_body_is_stored_once(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    twice = [{**page_view("u1"), "event_id": "e-1"}, {**page_view("u2"), "event_id": "e-1"}, page_view("u3")]

    answer = client.post("/api/events", json=twice, headers=sender)

    assert answer.json() == {"accepted": 2, "duplicates": 1}
    assert stored_users(services) in (["u1", "u3"], ["u2", "u3"])


def test_properties_named_like_columns_do_not_change_the_columns(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    named = {"sequence": -1, "event_id": "x", "arrived_at": 0, "happened_at": 0, "properties": {"properties": 1}}

    assert client.post("/api/events", json=page_view("u1", **named), headers=sender).status_code == 201

    [event] = services.telemetry.recent_events()
    assert (event.event, event.user_id, event.happened_at) == ("page_view", "u1", 1770465600.0)
    assert {name: event.properties[name] for name in named} == named


def test_a_property_of_a_megabyte_is_stored_completely(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    answer = client.post("/api/events", json=page_view("u1", note="é" * MEGABYTE), headers=sender)

    assert answer.status_code == 201
    [event] = services.telemetry.recent_events()
    assert event.properties["note"] == "é" * MEGABYTE


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
def test_protobuf_garbage_is_refused_and_counted(path: str, client: TestClient, sender: dict[str, str]) -> None:
    headers = {**sender, "Content-Type": "application/x-protobuf"}

    answer = client.post(path, content=b"\xff" * 500 + b"\x00garbage", headers=headers)

    assert 400 <= answer.status_code < 500
    counted = [line for line in client.get("/metrics").text.splitlines() if "rejected_total{" in line]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in counted) == 1
