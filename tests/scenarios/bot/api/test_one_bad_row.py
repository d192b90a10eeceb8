"""One row that cannot be read is missing from a list; the list shows the others, and every page about them works."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from detection.types import Finding, Metric, Severity, Subject
from storage import deploys, funnels, incidents, log_patterns, maintenance, metric_limits, outbox
from workers.services import Services


def finding(name: str, at: float) -> Finding:
    return Finding(
        detector="endpoint_latency", metric=Metric.LATENCY_P95,
        subject=Subject(kind="endpoint", name=name, service="shop", endpoint=name), observed=900.0, expected=100.0,
        expected_low=80.0, expected_high=130.0, sample_size=400, score=9.0, p_value=1e-9, window_start=at - 60,
        window_end=at, onset_at=at - 50,
    )  # fmt: skip


def store(services: Services, session: Session, name: str) -> None:
    """Store a row of each kind that lists show."""
    now = services.clock()
    incident = incidents.open_incident(
        session, title=name, severity=Severity.SEV2, service="shop", onset_at=now, now=now
    )
    incidents.record_finding(session, incident, finding(name, now.timestamp()), now=now)
    steps: list[dict[str, Any]] = [{"name": step, "event": step, "properties": {}} for step in ("in", "out")]
    funnels.create_funnel(session, name=name, steps=steps, baseline_days=7, window_minutes=30, now=now)
    metric_limits.add_limit(
        session, name=name, service=None, threshold=1.0, above=True, horizon_hours=6.0, created_by="Ana", now=now
    )
    log_patterns.add_pattern(
        session, name=name, expression=name, severity=Severity.SEV3, description=name, by="Ana", now=now
    )
    maintenance.create_window(
        session, service=name, begins_at=now, ends_at=now + timedelta(hours=1), reason="", made_by="Ana", now=now
    )
    deploys.record_deploy(
        session, service=name, version=name, commit_sha="a" * 40, repository="acme/shop", deployed_by="Ana",
        deployed_at=now - timedelta(minutes=5), now=now,
    )  # fmt: skip
    outbox.enqueue(session, "create_ticket", {"incident_id": incident.id}, key=name, now=now)
    outbox.fail(session, name, name, now=now, permanent=True)


BROKEN = [
    ("/api/incidents", "incidents", "severity", "huge"),
    ("/api/incidents", "incidents", "onset_at", "no date"),
    ("/api/incidents", "findings", "subject", "{"),
    ("/api/incidents", "findings", "metric", "mood"),
    ("/api/funnels", "funnels", "steps", "{"),
    ("/api/funnels", "funnels", "steps", '[{"name": "in"}]'),
    ("/api/metrics/limits", "metric_limits", "threshold", "many"),
    ("/api/logs/patterns", "log_patterns", "severity", "huge"),
    ("/api/maintenance", "maintenance_windows", "begins_at", "no date"),
    ("/api/deploys", "deploys", "created_at", "no date"),
    ("/api/jobs", "outbox", "arguments", "{"),
    ("/api/jobs", "outbox", "created_at", "no date"),
]


@pytest.mark.parametrize(("path", "table", "column", "value"), BROKEN)
def test_a_list_shows_the_others_and_the_status_is_answered(
    client: TestClient, services: Services, operator: dict[str, str], path: str, table: str, column: str, value: str
) -> None:
    with services.sessions.begin() as session:
        for name in ("Bad", "Good"):
            store(services, session, name)
    key = "rowid = 1" if table != "outbox" else "key = 'Bad'"
    with services.engine.begin() as connection:
        connection.execute(text(f'UPDATE {table} SET "{column}" = :value WHERE {key}'), {"value": value})
    answer = client.get(path, headers=operator)
    assert (answer.status_code, "Good" in answer.text) == (200, True)
    for other in ("/api/status", "/api/incidents/2", "/health", "/metrics"):
        answered: Any = client.get(other, headers=operator)
        assert answered.status_code == 200, other


def test_an_incident_with_a_finding_that_cannot_be_read_is_shown_without_it(
    client: TestClient, services: Services, operator: dict[str, str]
) -> None:
    with services.sessions.begin() as session:
        store(services, session, "Bad")
        incidents.record_finding(
            session, incidents.get_incident(session, 1), finding("Good", 1e9), now=services.clock()
        )
    with services.engine.begin() as connection:
        connection.execute(text("UPDATE findings SET subject = '{' WHERE id = 1"))
    shown = client.get("/api/incidents/1", headers=operator).json()
    assert [one["subject"]["name"] for one in shown["findings"]] == ["Good"]
