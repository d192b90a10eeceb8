"""Reading product events, and erasing a person's data."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from bot.web.app import create_app
from storage import audit
from storage.models import AuditEntry
from workers.services import Services

NOON = 1_770_465_600


def send_events(client: TestClient, headers: dict[str, str], *users: str, **properties: object) -> None:
    events = [
        {"event": "page_view", "event_id": f"e-{n}", "user_id": user, "timestamp": NOON + n, "properties": properties}
        for n, user in enumerate(users)
    ]
    assert client.post("/api/events", json=events, headers=headers).status_code == 201


def test_events_are_listed_newest_first_page_by_page(client: TestClient, operator: dict[str, str]) -> None:
    send_events(client, operator, "u0", "u1", "u2", page="/")
    first = client.get("/api/events?limit=2", headers=operator).json()
    assert [event["event_id"] for event in first["events"]] == ["e-2", "e-1"]
    assert first["events"][0] == {
        "event_id": "e-2",
        "event": "page_view",
        "user_id": "u2",
        "timestamp": "2026-02-07T12:00:02Z",
        "properties": {"page": "/"},
    }
    rest = client.get(f"/api/events?limit=2&offset={first['next_offset']}", headers=operator).json()
    assert ([event["event_id"] for event in rest["events"]], rest["next_offset"]) == (["e-0"], None)
    assert client.get("/api/events?event=other", headers=operator).json() == {"events": [], "next_offset": None}


def test_event_types_are_counted(client: TestClient, operator: dict[str, str]) -> None:
    send_events(client, operator, "u0", "u1")
    assert client.get("/api/events/types", headers=operator).json() == [
        {
            "event": "page_view",
            "count": 2,
            "first_at": "2026-02-07T12:00:00Z",
            "last_at": "2026-02-07T12:00:01Z",
        }
    ]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "offset=-1", "limit=many"])
def test_an_invalid_page_is_422(client: TestClient, operator: dict[str, str], query: str) -> None:
    answer = client.get(f"/api/events?{query}", headers=operator)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, query.partition("=")[0])


def test_a_person_is_erased_and_the_audit_entry_does_not_name_them(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    send_events(client, operator, "ana@acme.example/7", "ben")
    answer = client.delete("/api/users/ana@acme.example/7", headers=operator)

    assert answer.json() == {
        "user_id": "ana@acme.example/7",
        "erased": {
            "events": 1,
            "funnel_attempts": 0,
            "log_records": 0,
            "metric_points": 0,
            "archived": 0,
            "log_samples": 0,
        },
    }
    assert [event.user_id for event in services.telemetry.recent_events()] == ["ben"]
    with services.readers() as session:
        [entry] = session.scalars(select(AuditEntry))
        assert (entry.actor, entry.event, entry.payload["erased"]["events"]) == ("ana", "person_erased", 1)
        assert "acme.example" not in str(entry.payload)
        assert audit.verify(session, key=services.audit_key).ok


def test_reading_events_and_erasing_a_person_need_an_operator_key(client: TestClient, sender: dict[str, str]) -> None:
    for method, path in [("GET", "/api/events"), ("GET", "/api/events/types"), ("DELETE", "/api/users/u1")]:
        assert client.request(method, path, headers=sender).status_code == 403
        assert client.request(method, path).status_code == 401


def test_personal_data_is_hidden_before_it_is_stored_when_the_settings_say_so(
    services: Services, operator: dict[str, str]
) -> None:
    services.settings = services.settings.model_copy(update={"pii_properties": ["email", "user_id"]})
    client = TestClient(create_app(services))
    send_events(client, operator, "ana@acme.example", email="ana@acme.example", plan="free")

    shown = client.get("/api/events", headers=operator)
    assert "acme.example" not in shown.text
    assert shown.json()["events"][0]["properties"]["plan"] == "free"
    erased = client.delete("/api/users/ana@acme.example", headers=operator).json()
    assert erased["erased"]["events"] == 1
