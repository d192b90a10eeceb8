"""Two applications may count their records alike: an id counts within the API key that it came with."""

from __future__ import annotations

import json
import uuid

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from storage.keys import create_key
from storage.telemetry.rows.tables import log_records
from tests.scenarios.bot.conftest import NOW
from workers.services import Services


def key(services: Services, name: str) -> dict[str, str]:
    with services.sessions.begin() as session:
        secret = create_key(session, name, role="ingest", now=services.clock())
    return {"Authorization": f"Bearer {secret}"}


def send_event(client: TestClient, headers: dict[str, str], number: str) -> tuple[int, int]:
    event = {"event_id": number, "event": "visit", "user_id": "u1", "timestamp": NOW.isoformat()}
    answer = client.post("/api/events", json=[event], headers=headers).json()
    return answer["accepted"], answer["duplicates"]


def send_document(client: TestClient, headers: dict[str, str], number: str) -> None:
    lines = [{"create": {"_index": "logs", "_id": number}}, {"message": "hello"}]
    body = "".join(f"{json.dumps(line)}\n" for line in lines)
    answer = client.post("/_bulk", content=body, headers={**headers, "Content-Type": "application/x-ndjson"})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("number", ["1", "order-17"])
def test_the_same_id_of_two_applications_is_two_events_and_of_one_application_one(
    client: TestClient, services: Services, number: str
) -> None:
    web, app = key(services, "web"), key(services, "app")
    assert send_event(client, web, number) == (1, 0)
    assert send_event(client, app, number) == (1, 0)
    assert send_event(client, web, number) == (0, 1)
    assert send_event(client, app, number) == (0, 1)


def test_a_uuid_is_the_same_event_whoever_sends_it(client: TestClient, services: Services) -> None:
    number = str(uuid.UUID(int=7))
    assert send_event(client, key(services, "web"), number) == (1, 0)
    assert send_event(client, key(services, "app"), number) == (0, 1)


def test_the_same_document_id_of_two_applications_is_two_log_records(client: TestClient, services: Services) -> None:
    for headers in (key(services, "web"), key(services, "app")):
        send_document(client, headers, "1")
        send_document(client, headers, "1")
    with services.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(log_records)) == 2


def test_the_api_shows_the_id_as_its_sender_wrote_it(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    send_event(client, key(services, "web"), "1")
    (event,) = client.get("/api/events", headers=operator).json()["events"]
    assert event["event_id"] == "1"
