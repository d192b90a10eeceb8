"""GET /api/triage: what was decided about the alerts that fire, and why."""

from __future__ import annotations

from datetime import timedelta

from fastapi.testclient import TestClient

from storage import triage
from storage.triage import NewDecision
from tests.scenarios.bot.conftest import NOW
from workers.services import Services


def _decide(services: Services, decision: str, minutes: int) -> None:
    new = NewDecision("alert:a", "DiskFull", "logs", decision, "flaps", "It flaps.", None, -1.5, NOW)
    with services.sessions.begin() as session:
        held = next(iter(triage.holding(session, of_alerts=True).values()), None)
        triage.decide(session, new, held, now=NOW + timedelta(minutes=minutes))


def test_it_lists_what_holds_now_and_on_request_what_held_before(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    _decide(services, "digest", 0)
    _decide(services, "wake", 5)
    now = client.get("/api/triage", headers=operator).json()
    assert [(one["name"], one["decision"], one["reason"]) for one in now] == [("DiskFull", "wake", "It flaps.")]
    assert now[0]["waiting_since"] is not None
    every = client.get("/api/triage", params={"now_only": False}, headers=operator).json()
    assert [(one["decision"], one["over_at"] is None) for one in every] == [("wake", True), ("digest", False)]
