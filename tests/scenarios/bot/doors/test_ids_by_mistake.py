"""What stands in the place of an id by mistake ("null", zeros, a template) makes no duplicates, and no person."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from storage.telemetry.rows.tables import events, log_records
from tests.scenarios.bot.conftest import NOW
from workers.services import Services

HERE = int(NOW.timestamp()) - 90
Send = Callable[[TestClient, str, Any, str], Any]
"""Sends two acts of one person with one record id, and answers; the last argument tells the acts apart."""


@pytest.fixture
def key(sender: dict[str, str]) -> str:
    return sender["Authorization"].removeprefix("Bearer ")


def segment(client: TestClient, key: str, given: Any, act: str) -> Any:
    one = {"type": "track", "userId": "ana", "messageId": given, "timestamp": HERE}
    return client.post("/v1/batch", json={"writeKey": key, "batch": [{**one, "event": name} for name in ("seen", act)]})


def posthog(client: TestClient, key: str, given: Any, act: str) -> Any:
    one = {"distinct_id": "ana", "uuid": given, "timestamp": HERE}
    return client.post("/batch/", json={"api_key": key, "batch": [{**one, "event": name} for name in ("seen", act)]})


def amplitude(client: TestClient, key: str, given: Any, act: str) -> Any:
    one = {"user_id": "ana", "insert_id": given, "time": HERE * 1000}
    sent = [{**one, "event_type": name} for name in ("seen", act)]
    return client.post("/2/httpapi", json={"api_key": key, "events": sent})


def mixpanel(client: TestClient, key: str, given: Any, act: str) -> Any:
    one = {"token": key, "distinct_id": "ana", "time": HERE, "$insert_id": given}
    return client.post("/import", json=[{"event": "seen", "properties": {**one, "on": page}} for page in ("/", act)])


def own(client: TestClient, key: str, given: Any, act: str) -> Any:
    one = {"user_id": "ana", "event_id": given, "timestamp": HERE}
    sent = [{**one, "event": name} for name in ("seen", act)]
    return client.post("/api/events", json=sent, headers={"X-API-Key": key})


def bulk(client: TestClient, key: str, given: Any, act: str) -> Any:
    lines = [
        line for body in ("seen", act) for line in ({"index": {"_id": given}}, {"@timestamp": HERE, "message": body})
    ]
    headers = {"X-API-Key": key, "Content-Type": "application/x-ndjson"}
    return client.post("/_bulk", content="".join(f"{json.dumps(line)}\n" for line in lines), headers=headers)


def sentry(client: TestClient, key: str, given: Any, act: str) -> Any:
    headers = {"X-Sentry-Auth": f"Sentry sentry_key={key}", "Content-Type": "application/x-sentry-envelope"}
    answers = [
        client.post(
            "/api/1/envelope/",
            content="\n".join(
                json.dumps(line)
                for line in ({}, {"type": "event"}, {"event_id": given, "timestamp": HERE, "message": body})
            ),
            headers=headers,
        )
        for body in ("seen", act)
    ]
    return answers[-1]


DOORS = [segment, posthog, amplitude, mixpanel, own, bulk, sentry]


def stored(services: Services) -> int:
    with services.engine.connect() as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in (events, log_records)]
    return sum(count or 0 for count in counts)


@pytest.mark.parametrize("mistake", ["undefined", "00000000-0000-0000-0000-000000000000", "%{[@metadata][id]}"])
@pytest.mark.parametrize("send", DOORS)
def test_records_that_have_only_a_mistake_for_an_id_are_told_apart_and_sent_again_recognised(
    client: TestClient, services: Services, key: str, send: Send, mistake: str
) -> None:
    for _ in range(2):
        assert send(client, key, mistake, "joined").status_code in (200, 201)
    assert stored(services) == 2


@pytest.mark.parametrize("send", [segment, posthog, amplitude, own])
def test_an_id_that_is_a_number_is_an_id(client: TestClient, services: Services, key: str, send: Send) -> None:
    for given in (17, 17.0, "17"):
        assert send(client, key, given, "joined").status_code in (200, 201)
    assert stored(services) == 1


def test_a_segment_message_without_an_id_that_is_sent_again_at_another_time_is_the_same(
    client: TestClient, services: Services, key: str
) -> None:
    message = {"event": "joined", "userId": "ana", "timestamp": HERE}
    for seconds in (0, 5):
        sent = {**message, "writeKey": key, "sentAt": HERE + 60 + seconds}
        assert client.post("/v1/track", json=sent).status_code == 200
    assert stored(services) == 1


def test_the_two_spellings_of_a_sentry_id_are_one(client: TestClient, services: Services, key: str) -> None:
    for given in ("018E2A3B-0000-7000-8000-0000000000AB", "018e2a3b0000700080000000000000ab"):
        sentry(client, key, given, "seen")
    assert stored(services) == 1


def visitors(client: TestClient, key: str, user_id: Any) -> list[Any]:
    """Two visitors of whom each library says the same wrong user id."""
    answers = []
    for number in (1, 2):
        one = {"event": "seen", "timestamp": HERE, "messageId": f"m{number}"}
        amplitude_event = {
            "event_type": "seen",
            "time": HERE * 1000,
            "user_id": user_id,
            "device_id": f"phone-{number}",
        }
        mixpanel_ids = {"distinct_id": user_id, "$user_id": user_id, "$device_id": f"d-{number}"}
        posthog_one = {"event": "seen", "distinct_id": user_id, "uuid": f"p{number}", "timestamp": HERE}
        own_one = {"event": "seen", "timestamp": HERE, "user_id": user_id, "anonymous_id": f"c-{number}"}
        answers += [
            client.post("/v1/track", json={**one, "userId": user_id, "anonymousId": f"b-{number}", "writeKey": key}),
            client.post("/2/httpapi", json={"api_key": key, "events": [amplitude_event]}),
            client.post("/track", json=[{"event": "seen", "properties": {"token": key, "time": HERE, **mixpanel_ids}}]),
            client.post("/batch/", json={"api_key": key, "batch": [
                {**posthog_one, "properties": {"$device_id": f"ph-{number}"}}]}),
            client.post("/api/events", json=own_one, headers={"X-API-Key": key}),
        ]  # fmt: skip
    return answers


@pytest.mark.parametrize("user_id", ["null", "undefined", "guest", "  ", "", "0"])
def test_a_visitor_or_device_stands_for_the_person_where_the_user_id_is_a_mistake(
    client: TestClient, services: Services, key: str, user_id: str
) -> None:
    assert {answer.status_code for answer in visitors(client, key, user_id)} <= {200, 201}
    people = {event.user_id for event in services.telemetry.recent_events()}
    assert people == {f"{kind}-{number}" for kind in ("b", "phone", "d", "ph", "c") for number in (1, 2)}


def test_a_mistaken_user_id_stays_where_there_is_no_other(client: TestClient, services: Services, key: str) -> None:
    client.post("/v1/track", json={"writeKey": key, "event": "seen", "userId": "guest", "messageId": "m1"})
    (event,) = services.telemetry.recent_events()
    assert event.user_id == "guest"
