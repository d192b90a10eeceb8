"""Where conversions were lost: read for a funnel, and with an incident."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from detection.types import Attribution, Event, Finding, Metric, Place, Severity, Subject, WhereVerdict
from storage import incidents
from storage.funnels import definition, list_funnels
from tests.finding_details import DROP
from workers.services import Services
from workers.words.findings import incident_title

CHECKOUT: dict[str, Any] = {
    "name": "Checkout",
    "steps": [{"name": name, "event_filter": {"event": name}} for name in ("view", "pay")],
    "window_minutes": 30,
}


@pytest.fixture
def funnel_id(client: TestClient, services: Services, operator: dict[str, str]) -> int:
    """Create a funnel with three hours of users; in the last hour no payment by paypal in DE succeeds."""
    made: int = client.post("/api/funnels", json=CHECKOUT, headers=operator).json()["id"]
    drawn, now = random.Random(1), services.clock().timestamp()
    events = []
    for number in range(4000):
        at = now - drawn.uniform(60, 3 * 3600)
        kind = {"country": drawn.choice(["DE", "FR"]), "payment_method": drawn.choice(["card", "paypal"])}
        is_broken = at >= now - 3600 and kind == {"country": "DE", "payment_method": "paypal"}
        events.append(Event(f"{number}a", "view", f"u{number}", at, kind))
        if drawn.random() < (0.0 if is_broken else 0.5):
            events.append(Event(f"{number}b", "pay", f"u{number}", at + 5, {}))
    services.telemetry.append_events(events)
    with services.readers() as session:
        watched = [definition(row) for row in list_funnels(session)]
    services.telemetry.roll_up(watched, now=now)
    return made


def time_ago(services: Services, **since: float) -> str:
    return (services.clock() - timedelta(**since)).isoformat()


def test_the_last_hour_is_compared_with_the_time_before_it(
    client: TestClient, services: Services, operator: dict[str, str], funnel_id: int
) -> None:
    asked = {"since": time_ago(services, hours=1)}
    found = client.get(f"/api/funnels/{funnel_id}/where", params=asked, headers=operator).json()

    answer = found["answer"]
    assert answer["verdict"] == "places"
    [place] = answer["places"]
    assert place["where"] == [
        {"dimension": "country", "value": "DE"},
        {"dimension": "payment_method", "value": "paypal"},
    ]
    assert (place["rate"], place["expected_rate"] > 0.4) == (0.0, True)
    assert answer["rate_effect"] + answer["mix_effect"] == pytest.approx(answer["observed"] - answer["expected"])
    assert answer["text"][0].startswith("country = DE and payment_method = paypal carries ")
    assert found["until"] < services.clock().isoformat()


def test_without_data_the_answer_is_null(client: TestClient, operator: dict[str, str]) -> None:
    made = client.post("/api/funnels", json=CHECKOUT, headers=operator).json()["id"]
    assert client.get(f"/api/funnels/{made}/where", headers=operator).json()["answer"] is None
    assert client.get("/api/funnels/99/where", headers=operator).status_code == 404


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"since": "2026-02-07T12:00:00"}, "since"),
        ({"until": "yesterday"}, "until"),
        ({"since": "2026-02-07T12:00:00Z", "until": "2026-02-07T11:00:00Z"}, "since"),
        ({"since": "2026-02-09T12:00:00Z"}, "since"),
        ({"since": "2025-12-01T00:00:00Z"}, "against_since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"since": "2026-02-07T11:00:00Z", "against_since": "2026-02-07T11:30:00Z"}, "against_since"),
    ],
)
def test_an_invalid_window_is_refused_with_the_fields_name(
    client: TestClient, operator: dict[str, str], funnel_id: int, asked: dict[str, str], field: str
) -> None:
    answer = client.get(f"/api/funnels/{funnel_id}/where", params=asked, headers=operator)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


def test_an_incident_says_where_conversions_are_lost(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    now = services.clock()
    place = Place((("country", "DE"), ("provider", "paypal")), 100.0, 10.0, 40.0, 0.9)
    known = Attribution(WhereVerdict.PLACES, 0.3, 0.38, -0.075, -0.005, (place,), (), ("country", "provider"))
    incident_id = open_incident(services, known, now)

    found = client.get(f"/api/incidents/{incident_id}", headers=operator).json()

    assert found["where"]["places"][0]["share_of_loss"] == 0.9
    assert found["where"]["text"][-1] == "94 % of the loss is conversion falling, 6 % a different mix of users."
    assert found["title"] == ("Checkout conversion for country DE and provider paypal is 10.0 %, normally 40.0 %")


def open_incident(services: Services, known: Attribution, now: datetime) -> int:
    finding = Finding(
        detector="funnel_conversion", metric=Metric.CONVERSION_RATE, subject=Subject("funnel", "Checkout", funnel_id=1),
        observed=0.3, expected=0.38, expected_low=0.36, expected_high=0.4, sample_size=400, score=-9.0, p_value=1e-9,
        window_start=now.timestamp() - 60, window_end=now.timestamp(), onset_at=now.timestamp() - 50,
    )  # fmt: skip
    finding = replace(finding, details=replace(DROP, attribution=known))
    with services.sessions.begin() as session:
        incident = incidents.open_incident(
            session, title=incident_title([finding]), severity=Severity.SEV2, service=None, onset_at=now, now=now
        )
        incidents.record_finding(session, incident, finding, now=now)
        return incident.id
