"""Maintenance windows, snoozes and the status of what is watched, through the API."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from detection.types import Severity, SpanKind
from detection.types import Span as SpanRecord
from storage import incidents
from storage.models import AuditEntry
from workers.services import Services


@pytest.fixture
def incident_id(services: Services) -> int:
    now = services.clock()
    with services.sessions.begin() as session:
        incident = incidents.open_incident(
            session, title="Checkout is slow", severity=Severity.SEV2, service="shop", onset_at=now, now=now
        )
        return incident.id


def audit_events(services: Services) -> list[tuple[str, str]]:
    with services.readers() as session:
        rows = session.scalars(select(AuditEntry).order_by(AuditEntry.sequence)).all()
        return [(row.actor, row.event) for row in rows]


def test_a_window_is_created_listed_ended_and_audited(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    made = client.post(
        "/api/maintenance", json={"service": "shop", "minutes": 120, "reason": "new database"}, headers=operator
    )
    assert made.status_code == 201
    window = made.json()
    assert (window["service"], window["running"], window["made_by"]) == ("shop", True, "ana")
    assert (window["begins_at"], window["ends_at"]) == ("2026-02-07T12:30:00Z", "2026-02-07T14:30:00Z")
    assert client.get("/api/maintenance", headers=operator).json() == [window]
    ended = client.delete(f"/api/maintenance/{window['id']}", headers=operator).json()
    assert (ended["running"], ended["ended_by"]) == (False, "ana")
    assert client.get("/api/maintenance", headers=operator).json() == []
    assert [row["id"] for row in client.get("/api/maintenance?past=true", headers=operator).json()] == [window["id"]]
    again = client.delete(f"/api/maintenance/{window['id']}", headers=operator)
    assert (again.status_code, "over already" in again.json()["error"]["message"]) == (409, True)
    assert audit_events(services) == [("ana", "maintenance_started"), ("ana", "maintenance_ended")]


def test_a_future_window_is_not_running_and_can_be_cancelled(client: TestClient, operator: dict[str, str]) -> None:
    body = {"service": "everything", "begins_at": "2026-02-07T22:00:00Z", "ends_at": "2026-02-08T06:00:00Z"}
    window = client.post("/api/maintenance", json=body, headers=operator).json()
    assert (window["service"], window["running"]) == (None, False)
    client.delete(f"/api/maintenance/{window['id']}", headers=operator).raise_for_status()
    assert client.get("/api/maintenance", headers=operator).json() == []


def test_times_without_a_zone_are_in_the_teams_zone_even_across_a_clock_change(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    services.settings = services.settings.model_copy(update={"argux_timezone": "Europe/Berlin"})
    body = {"begins_at": "2026-03-28T22:00:00", "ends_at": "2026-03-29T06:00:00"}
    window = client.post("/api/maintenance", json=body, headers=operator).json()
    assert (window["begins_at"], window["ends_at"]) == ("2026-03-28T21:00:00Z", "2026-03-29T04:00:00Z")


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({}, "ends_at", "Give either ends_at or minutes"),
        ({"minutes": 5, "ends_at": "2026-02-08T00:00:00Z"}, "ends_at", "Give either ends_at or minutes"),
        ({"minutes": 0}, "minutes", "greater than 0"),
        ({"minutes": 1e9}, "minutes", "less than or equal"),
        ({"ends_at": "2026-02-07T12:30:00Z"}, "ends_at", "no length"),
        ({"begins_at": "2026-02-08T00:00:00Z", "ends_at": "2026-02-07T23:00:00Z"}, "ends_at", "before it begins"),
        ({"begins_at": "2026-02-06T00:00:00Z", "ends_at": "2026-02-06T01:00:00Z"}, "ends_at", "over already"),
        ({"ends_at": "2027-02-07T12:30:00Z"}, "ends_at", "longer than 30 days"),
        ({"service": "", "minutes": 5}, "service", "at least 1"),
        ({"begins_at": "0001-01-01T00:00:00+14:00", "minutes": 5}, "begins_at", "The year 1 is not between"),
        ({"begins_at": "9999-12-31T23:59:59", "minutes": 5}, "begins_at", "The year 9999"),
        ({"minutes": 5, "reason": "a\u0000b"}, "reason", "NUL"),
        ({"minutes": 5, "until": "x"}, "until", "not permitted"),
    ],
)
def test_an_invalid_window_is_refused_with_what_is_wrong(
    client: TestClient, operator: dict[str, str], body: dict[str, Any], field: str, message: str
) -> None:
    answer = client.post("/api/maintenance", json=body, headers=operator)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert message in answer.json()["error"]["message"]


def test_a_local_time_that_the_clock_change_skips_is_refused(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    services.settings = services.settings.model_copy(update={"argux_timezone": "Europe/Berlin"})
    body = {"begins_at": "2026-03-29T02:30:00", "minutes": 60}
    answer = client.post("/api/maintenance", json=body, headers=operator)
    assert answer.json()["error"] == {
        "message": "2026-03-29 02:30 does not exist in Europe/Berlin: the clocks skip it.",
        "field": "begins_at",
    }


def test_a_snooze_is_shown_extended_ended_and_refused_when_it_changes_nothing(
    client: TestClient, services: Services, operator: dict[str, str], incident_id: int
) -> None:
    path = f"/api/incidents/{incident_id}/snooze"
    snoozed = client.post(path, json={"minutes": 60}, headers=operator).json()
    assert (snoozed["snoozed_until"], snoozed["snoozed_by"]) == ("2026-02-07T13:30:00Z", "ana")
    assert snoozed["timeline"][-1]["kind"] == "snoozed"
    assert client.post(path, json={"minutes": 60}, headers=operator).status_code == 409
    assert client.post(path, json={"minutes": 240}, headers=operator).json()["snoozed_until"] == "2026-02-07T16:30:00Z"
    ended = client.delete(path, headers=operator).json()
    assert (ended["snoozed_until"], ended["status"]) == (None, "open")
    assert client.delete(path, headers=operator).status_code == 409
    assert [event for _, event in audit_events(services)] == ["snoozed", "snoozed", "unsnoozed"]


@pytest.mark.parametrize("minutes", [0, -5, 1e6, "soon"])
def test_a_snooze_of_invalid_length_is_refused(
    client: TestClient, operator: dict[str, str], incident_id: int, minutes: object
) -> None:
    answer = client.post(f"/api/incidents/{incident_id}/snooze", json={"minutes": minutes}, headers=operator)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "minutes")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/maintenance"),
        ("GET", "/api/maintenance"),
        ("DELETE", "/api/maintenance/1"),
        ("POST", "/api/incidents/1/snooze"),
        ("DELETE", "/api/incidents/1/snooze"),
        ("GET", "/api/status"),
    ],
)
def test_an_ingest_key_is_refused(client: TestClient, sender: dict[str, str], method: str, path: str) -> None:
    assert client.request(method, path, headers=sender).status_code == 403


def test_the_status_names_what_lacks_data_and_why(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    steps = [{"name": name, "event_filter": {"event": name}} for name in ("view", "sign up")]
    client.post("/api/funnels", json={"name": "Sign-up", "steps": steps}, headers=operator).raise_for_status()
    now = services.clock().timestamp()
    spans = [
        SpanRecord(
            trace_id=f"{n:032x}", span_id=f"{n:016x}", parent_span_id=None, kind=SpanKind.SERVER, name="POST /checkout",
            service="shop", version=None, started_at=now - 3600 - n, duration_ms=50.0, is_error=False,
            endpoint="POST /checkout",
        )
        for n in range(40)
    ]  # fmt: skip
    services.telemetry.append_spans(spans)
    # Spans are rolled up some seconds after they arrive; the clock is set ahead instead of waiting.
    services.telemetry.roll_up([], now=now + 10)
    found = client.get("/api/status", headers=operator).json()
    assert found["counts"] == {"ok": 0, "broken": 0, "insufficient_data": 2}
    by_name = {row["name"]: row["reason"] for row in found["watched"]}
    assert by_name["Sign-up"] == (
        "0 of 100 entries needed in the last 30 min; 0 of 24 hours of history needed; "
        "0 of 100 entries needed in the history"
    )
    assert by_name["shop POST /checkout"].startswith("40 of 200 requests of history needed; 0 of 3 intervals of 10 s")
    assert client.get("/api/status?state=ok", headers=operator).json()["watched"] == []
    assert client.get("/api/status?state=fine", headers=operator).status_code == 422
