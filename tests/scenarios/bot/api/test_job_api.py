"""Jobs that failed for good, through the API and on the health routes."""

from __future__ import annotations

from fastapi.testclient import TestClient
from sqlalchemy import select

from storage import outbox
from storage.models import AuditEntry, OutboxJob
from workers.services import Services


def given_up(services: Services, key: str) -> int:
    now = services.clock()
    with services.sessions.begin() as session:
        outbox.enqueue(session, "escalate", {"incident_id": 3, "user_name": "Ana"}, key=key, now=now)
        outbox.fail(session, key, "Teams: HTTP 410", now=now, permanent=True)
        return session.scalars(select(OutboxJob.id).where(OutboxJob.key == key)).one()


def test_they_are_listed_retried_and_dismissed_and_that_is_audited(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    one, two = given_up(services, "one"), given_up(services, "two")
    listed = client.get("/api/jobs", headers=operator).json()
    assert [job["id"] for job in listed] == [two, one]
    assert (listed[0]["what"], listed[0]["error"]) == ("escalate to Teams for incident #3", "Teams: HTTP 410")
    retried = client.post(f"/api/jobs/{one}/retry", headers=operator).json()
    assert (retried["failed_at"], retried["attempts"]) == (None, 0)
    assert client.post(f"/api/jobs/{two}/dismiss", headers=operator).json()["dismissed_at"] is not None
    assert client.get("/api/jobs", headers=operator).json() == []
    with services.readers() as session:
        entries = [(entry.actor, entry.event, entry.payload["job_id"]) for entry in session.scalars(select(AuditEntry))]
    assert entries == [("ana", "job_retried", one), ("ana", "job_dismissed", two)]


def test_a_job_that_waits_for_no_decision_is_a_conflict_and_one_that_is_not_there_a_404(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    job_id = given_up(services, "one")
    assert client.post(f"/api/jobs/{job_id}/dismiss", headers=operator).status_code == 200
    assert client.post(f"/api/jobs/{job_id}/dismiss", headers=operator).status_code == 409
    assert client.post("/api/jobs/99/retry", headers=operator).status_code == 404


def test_a_senders_key_may_neither_see_nor_touch_them(
    client: TestClient, services: Services, sender: dict[str, str]
) -> None:
    job_id = given_up(services, "one")
    assert client.get("/api/jobs", headers=sender).status_code == 403
    assert client.post(f"/api/jobs/{job_id}/retry", headers=sender).status_code == 403
    assert client.post(f"/api/jobs/{job_id}/dismiss").status_code == 401


def test_a_dead_letter_is_told_on_the_health_route_without_failing_it_and_a_dismissed_one_is_not(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    job_id = given_up(services, "one")
    answer = client.get("/health/integrations")
    jobs = answer.json()["integrations"]["jobs"]
    assert (answer.json()["status"] == "failed") == (answer.status_code == 503)
    assert jobs["status"] == "notice"
    assert "1 given up since 2026-02-07 12:30 UTC, the newest: escalate to Teams" in jobs["message"]
    assert "argux_outbox_dead_letters 1.0" in client.get("/metrics").text
    client.post(f"/api/jobs/{job_id}/dismiss", headers=operator)
    assert "argux_outbox_dead_letters 0.0" in client.get("/metrics").text
