"""Funnels through the API: metrics by dimension, the value of a conversion, changes, and removal."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from detection.types import Event
from tests.scenarios.bot.api.counted_variants import roll_up, visit
from tests.scenarios.bot.api.test_funnel_api import SIGNUP
from workers.services import Services


def test_metrics_by_a_dimension_list_each_value_and_mark_those_with_too_few_entries(
    client: TestClient, services: Services, operator: dict[str, str], funnel: str
) -> None:
    visit(services, "DE", users=120, convert=30, hours_ago=3)
    visit(services, "FR", users=20, convert=10, hours_ago=3)

    metrics = client.get(f"{funnel}/metrics?dimension=country", headers=operator).json()

    assert metrics["dimension"] == "country"
    assert [(one["value"], one["state"], one["entries"], one["conversion_rate"]) for one in metrics["segments"]] == [
        ("DE", "ok", 120, 0.25),
        ("FR", "insufficient_data", 20, 0.5),
    ]
    german = metrics["segments"][0]
    assert german["median_seconds_to_convert"] == pytest.approx(60, rel=0.28)
    assert german["p90_seconds_to_convert"] == pytest.approx(60, rel=0.28)
    assert [step["share_of_previous"] for step in german["steps"]] == [1.0, 0.25]
    assert (metrics["overall"]["state"], metrics["days"][0]["state"]) == ("ok", "insufficient_data")


def test_a_late_event_counts_on_the_day_and_in_the_segment_where_its_user_entered(
    client: TestClient, services: Services, operator: dict[str, str], funnel: str
) -> None:
    visit(services, "DE", users=4, convert=1, hours_ago=30)
    entered_at = services.clock().timestamp() - 30 * 3600
    services.telemetry.append_events([Event("late", "signed_up", "DE-30-3", entered_at + 90, {})])
    roll_up(services)

    metrics = client.get(f"{funnel}/metrics?dimension=country&days=3", headers=operator).json()

    assert [(day["entries"], day["conversions"]) for day in metrics["days"]] == [(0, 0), (4, 2), (0, 0)]
    assert metrics["segments"][0]["conversions"] == 2


def test_an_uncounted_dimension_is_refused_with_the_setting_to_change(
    client: TestClient, operator: dict[str, str], funnel: str
) -> None:
    answer = client.get(f"{funnel}/metrics?dimension=plan", headers=operator)

    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "dimension")
    assert "Add it to SEGMENT_DIMENSIONS (now country, device" in answer.json()["error"]["message"]


def test_the_value_of_a_conversion_can_be_set_changed_and_removed(
    client: TestClient, operator: dict[str, str], funnel: str
) -> None:
    worth = client.patch(funnel, json={"value_per_conversion": 48.5, "currency": "eur"}, headers=operator).json()
    assert (worth["value_per_conversion"], worth["currency"]) == (48.5, "EUR")
    renamed = client.patch(funnel, json={"name": "Sign-up", "baseline_days": 14}, headers=operator).json()
    assert (renamed["name"], renamed["baseline_days"], renamed["value_per_conversion"]) == ("Sign-up", 14, 48.5)
    forgotten = client.patch(funnel, json={"value_per_conversion": None}, headers=operator).json()
    assert (forgotten["value_per_conversion"], forgotten["currency"]) == (None, None)
    assert client.get(funnel, headers=operator).json() == forgotten
    made = client.post(
        "/api/funnels", json={**SIGNUP, "value_per_conversion": 3, "currency": "CHF"}, headers=operator
    ).json()
    assert (made["value_per_conversion"], made["currency"]) == (3, "CHF")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value_per_conversion": 0, "currency": "EUR"}, "greater than 0"),
        ({"value_per_conversion": -1, "currency": "EUR"}, "greater than 0"),
        ({"value_per_conversion": 5}, "together"),
        ({"currency": "EUR"}, "together"),
        ({"value_per_conversion": 5, "currency": "EURO"}, "three letters of an ISO 4217 code"),
        ({"window_minutes": 5}, "Extra"),
        ({"name": None}, "cannot be null"),
        ({}, "give a name"),
    ],
)
def test_an_invalid_change_is_422_and_changes_nothing(
    client: TestClient, operator: dict[str, str], funnel: str, change: dict[str, Any], words: str
) -> None:
    before = client.get(funnel, headers=operator).json()

    answer = client.patch(funnel, json=change, headers=operator)

    assert answer.status_code == 422
    assert words.lower() in answer.json()["error"]["message"].lower()
    assert client.get(funnel, headers=operator).json() == before


def test_a_removed_funnel_is_gone_with_its_counts_and_its_id_is_not_reused(
    client: TestClient, services: Services, operator: dict[str, str], funnel: str
) -> None:
    visit(services, "DE", users=4, convert=1, hours_ago=3)
    number = int(funnel.rpartition("/")[2])

    assert client.delete(funnel, headers=operator).status_code == 204

    assert client.get("/api/funnels", headers=operator).json() == []
    for method in ("GET", "DELETE", "PATCH"):
        assert client.request(method, funnel, json={"name": "x"}, headers=operator).status_code == 404
    services.telemetry.expire(now=services.clock().timestamp())
    assert services.telemetry.funnel_series(number, since=0, until=9e9, bucket_seconds=3600) == []
    again = client.post("/api/funnels", json=SIGNUP, headers=operator).json()
    assert again["id"] != number
    roll_up(services)
    assert client.get(f"/api/funnels/{again['id']}/metrics", headers=operator).json()["overall"]["entries"] == 4
