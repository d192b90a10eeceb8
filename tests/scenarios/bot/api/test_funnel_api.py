"""Funnels through the API: created, listed, refused with the field's path, measured."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from detection.types import Event
from storage.funnels import definition, list_funnels
from workers.services import Services

SIGNUP: dict[str, Any] = {
    "name": "Signup",
    "steps": [
        {"name": "view", "event_filter": {"event": "page_view", "properties": {"page": "/signup"}}},
        {"name": "sign up", "event_filter": {"event": "signed_up"}},
    ],
    "baseline_days": 7,
    "window_minutes": 30,
}


def test_a_funnel_is_created_listed_and_read(client: TestClient, operator: dict[str, str]) -> None:
    made = client.post("/api/funnels", json=SIGNUP, headers=operator)

    assert made.status_code == 201
    funnel = made.json()
    assert funnel["steps"][0] == SIGNUP["steps"][0]
    assert (funnel["baseline_days"], funnel["window_minutes"]) == (7, 30)
    assert client.get("/api/funnels", headers=operator).json() == [funnel]
    assert client.get(f"/api/funnels/{funnel['id']}", headers=operator).json() == funnel


@pytest.mark.parametrize("name", ["Signup", "signup", " SIGNUP "])
def test_a_second_funnel_of_a_name_is_409_that_names_the_first_and_how_to_change_it(
    client: TestClient, operator: dict[str, str], name: str
) -> None:
    first = client.post("/api/funnels", json=SIGNUP, headers=operator).json()
    other = client.post("/api/funnels", json={**SIGNUP, "name": "Other"}, headers=operator).json()

    again = client.post("/api/funnels", json={**SIGNUP, "name": name}, headers=operator)
    renamed = client.patch(f"/api/funnels/{other['id']}", json={"name": name}, headers=operator)

    for answer in (again, renamed):
        assert (answer.status_code, answer.json()["error"]["field"]) == (409, "name")
        message = answer.json()["error"]["message"]
        assert f"Funnel {first['id']} is called 'Signup' already" in message
        assert f"PATCH /api/funnels/{first['id']}" in message
    assert len(client.get("/api/funnels", headers=operator).json()) == 2


def test_a_removed_funnel_gives_its_name_back_and_one_keeps_its_own(
    client: TestClient, operator: dict[str, str]
) -> None:
    first = client.post("/api/funnels", json=SIGNUP, headers=operator).json()["id"]

    assert client.patch(f"/api/funnels/{first}", json={"name": "SIGNUP"}, headers=operator).status_code == 200
    assert client.delete(f"/api/funnels/{first}", headers=operator).status_code == 204
    assert client.post("/api/funnels", json=SIGNUP, headers=operator).status_code == 201


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"currency": "EURO", "value_per_conversion": 1}, "currency", "three letters of an ISO 4217 code, such as EUR"),
        ({"steps": SIGNUP["steps"][:1]}, "steps", "must have at least 2 entries"),
        ({"baseline_days": 0}, "baseline_days", "must be greater than or equal to 1"),
        ({"baseline_days": "week"}, "baseline_days", "must be a whole number"),
        ({"name": " "}, "name", "must have at least 1 character"),
        ({"window": 30}, "window", "is not permitted here"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    client: TestClient, operator: dict[str, str], change: dict[str, Any], field: str, said: str
) -> None:
    error = client.post("/api/funnels", json={**SIGNUP, **change}, headers=operator).json()["error"]

    assert error["message"].startswith(f"{field}: ")
    assert said in error["message"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"steps": SIGNUP["steps"][:1]}, "steps"),
        ({"steps": SIGNUP["steps"] * 11}, "steps"),
        ({"steps": [SIGNUP["steps"][0], SIGNUP["steps"][0]]}, "steps"),
        ({"steps": [SIGNUP["steps"][0], {"name": "x", "event_filter": {}}]}, "steps[1].event_filter.event"),
        ({"steps": [SIGNUP["steps"][0], {"name": "", "event_filter": {"event": "e"}}]}, "steps[1].name"),
        ({"baseline_days": 0}, "baseline_days"),
        ({"baseline_days": 91}, "baseline_days"),
        ({"window_minutes": 0}, "window_minutes"),
        ({"window_minutes": 10_081}, "window_minutes"),
        ({"window": 30}, "window"),
    ],
)
def test_an_invalid_funnel_is_422_with_the_path_of_the_field(
    client: TestClient, operator: dict[str, str], change: dict[str, Any], field: str
) -> None:
    answer = client.post("/api/funnels", json={**SIGNUP, **change}, headers=operator)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)
    assert client.get("/api/funnels", headers=operator).json() == []


def test_metrics_have_entries_conversion_rate_and_median_time_by_day(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    funnel_id = client.post("/api/funnels", json=SIGNUP, headers=operator).json()["id"]
    today = services.clock()
    yesterday = today - timedelta(days=1)
    events = []
    for number, (day, converts) in enumerate([(yesterday, True), (yesterday, False), (today, True)]):
        at = day.timestamp() - 3600
        events.append(Event(f"view-{number}", "page_view", f"u{number}", at, {"page": "/signup"}))
        if converts:
            events.append(Event(f"done-{number}", "signed_up", f"u{number}", at + 60, {}))
    services.telemetry.append_events(events)
    with services.readers() as session:
        watched = [definition(row) for row in list_funnels(session)]
    services.telemetry.roll_up(watched, now=today.timestamp())

    metrics = client.get(f"/api/funnels/{funnel_id}/metrics?days=7", headers=operator).json()

    overall = metrics["overall"]
    assert (overall["entries"], overall["conversions"]) == (3, 2)
    assert overall["conversion_rate"] == pytest.approx(2 / 3)
    assert overall["median_seconds_to_convert"] == pytest.approx(60, rel=0.28)
    assert [step["users"] for step in overall["steps"]] == [3, 2]
    assert [day["date"] for day in metrics["days"]] == [f"2026-02-0{number}" for number in range(1, 8)]
    assert [day["entries"] for day in metrics["days"]] == [0, 0, 0, 0, 0, 2, 1]
    assert metrics["days"][0]["conversion_rate"] is None
    assert metrics["days"][5]["conversion_rate"] == 0.5


def test_metrics_of_a_funnel_without_events_are_zero_and_null(client: TestClient, operator: dict[str, str]) -> None:
    funnel_id = client.post("/api/funnels", json=SIGNUP, headers=operator).json()["id"]

    metrics = client.get(f"/api/funnels/{funnel_id}/metrics", headers=operator).json()

    assert (metrics["overall"]["entries"], metrics["overall"]["conversion_rate"], len(metrics["days"])) == (0, None, 7)


def test_an_unknown_funnel_is_404(client: TestClient, operator: dict[str, str]) -> None:
    for path in ("/api/funnels/9", "/api/funnels/9/metrics"):
        answer = client.get(path, headers=operator)
        assert (answer.status_code, answer.json()["error"]["message"]) == (404, "There is no funnel 9.")


@pytest.mark.parametrize("path", ["/api/funnels/1/metrics?days=0", "/api/funnels/1/metrics?days=36", "/api/funnels/x"])
def test_an_invalid_parameter_is_422(client: TestClient, operator: dict[str, str], path: str) -> None:
    answer = client.get(path, headers=operator)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "funnel_id" if path.endswith("x") else "days")
