"""Records without an id and without a time happened when they came: two requests are two acts, however alike.

The clock of these tests stands still, so nothing but the requests tells the acts apart.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from storage.telemetry.rows.tables import events, log_records
from tests.scenarios.bot.conftest import NOW
from workers.services import Services

TIME = (NOW.timestamp() - 5) * 1000


@pytest.fixture
def key(sender: dict[str, str]) -> str:
    return sender["Authorization"].removeprefix("Bearer ")


def request(door: str, key: str, **told: Any) -> tuple[str, dict[str, Any]]:
    """Return the path and the arguments of a request with one act. told: `time` in milliseconds, or nothing."""
    time = told.get("time")
    if door == "posthog":
        body = {"api_key": key, "event": "opened", "distinct_id": "u1", "properties": {"shelf": 4}}
        return "/capture/", {"json": body | ({"timestamp": time} if time else {})}
    if door == "posthog batch":
        one = {"event": "opened", "properties": {"distinct_id": "u1"}} | ({"timestamp": time} if time else {})
        return "/batch/", {"json": {"api_key": key, "batch": [one]}}
    if door == "posthog exception":
        one = {"event": "$exception", "distinct_id": "u1", "properties": {"$exception_type": "Jam", "service": "u1"}}
        return "/i/v0/e/", {"json": {"api_key": key, **one} | ({"timestamp": time} if time else {})}
    if door == "segment":
        body = {"writeKey": key, "userId": "u1", "name": "Shelf"} | ({"timestamp": time} if time else {})
        return "/v1/page", {"json": body}
    if door == "segment batch":
        one = {"type": "track", "event": "opened", "userId": "u1"} | ({"timestamp": time} if time else {})
        return "/v1/batch", {"json": {"writeKey": key, "batch": [one]}}
    if door == "amplitude":
        one = {"user_id": "u1", "event_type": "opened"} | ({"time": time} if time else {})
        return "/2/httpapi", {"json": {"api_key": key, "events": [one]}}
    properties = {"token": key, "distinct_id": "u1"} | ({"time": time} if time else {})
    one = {"event": "opened", "properties": properties}
    if door == "mixpanel form":
        return "/track", {"data": {"data": json.dumps(one)}}
    return "/track/", {"json": [one]}


DOORS = [
    "posthog", "posthog batch", "posthog exception", "segment", "segment batch", "amplitude", "mixpanel",
    "mixpanel form",
]  # fmt: skip


def stored(services: Services) -> int:
    with services.engine.connect() as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in (events, log_records)]
    return sum(count or 0 for count in counts)


@pytest.mark.parametrize("door", DOORS)
def test_an_act_without_id_and_time_counts_as_often_as_it_is_told(
    client: TestClient, services: Services, key: str, door: str
) -> None:
    for _ in range(3):
        path, arguments = request(door, key)
        assert client.post(path, **arguments).status_code == 200
    assert stored(services) == 3
    assert "argux_ingest_duplicates_total{" not in client.get("/metrics").text


@pytest.mark.parametrize("door", DOORS)
def test_an_act_with_a_time_of_its_own_counts_once_however_often_it_is_sent(
    client: TestClient, services: Services, key: str, door: str
) -> None:
    for _ in range(3):
        path, arguments = request(door, key, time=TIME)
        answer = client.post(path, **arguments)
        assert answer.status_code == 200
    assert stored(services) == 1
    assert answer.json()["duplicates"] == 1
    assert "argux_ingest_duplicates_total{" in client.get("/metrics").text


def test_equal_acts_of_one_request_are_several_and_the_request_sent_again_adds_none(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    act = {"event": "opened", "user_id": "u1", "timestamp": NOW.isoformat(timespec="seconds")}
    answers = [client.post("/api/events", json=[act, act, act], headers=sender).json() for _ in range(2)]
    assert answers == [{"accepted": 3, "duplicates": 0}, {"accepted": 0, "duplicates": 3}]
