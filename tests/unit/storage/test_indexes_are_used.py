"""What every tick, pass of the relay and status answer looks for is found by an index, not by reading whole tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, insert, text
from sqlalchemy.orm import Session, sessionmaker

from detection.types import IncidentStatus, Severity
from storage import dead_letters, incidents, outbox, verifications
from storage.models import FindingRecord, Incident, OutboxJob, Verification

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
ROWS = 4_000
RECENT = NOW - timedelta(minutes=10)

Query = Callable[[Session], object]


def rows() -> dict[type[Any], list[dict[str, Any]]]:
    """Return years of incidents and jobs: nearly all of them long closed and done."""
    at = [NOW - timedelta(hours=6 * number) for number in range(ROWS)]
    return {
        Incident: [
            {
                "id": number + 1, "title": "Slow", "severity": Severity.SEV2, "service": "shop", "onset_at": when,
                "status": IncidentStatus.RESOLVED if number > 3 else IncidentStatus.OPEN, "opened_at": when,
                "updated_at": when, "closed_at": when if number > 3 else None, "closed_by": "Ana",
            }
            for number, when in enumerate(at)
        ],
        FindingRecord: [
            {
                "incident_id": number + 1, "fingerprint": "f", "detector": "d", "metric": "latency_p95", "subject": {},
                "details": {}, "observed": 1.0, "expected": 1.0, "expected_low": 1.0, "expected_high": 1.0,
                "sample_size": 1, "score": 1.0, "p_value": 0.1, "window_start": when, "window_end": when,
                "onset_at": when, "first_seen_at": when, "last_seen_at": when,
            }
            for number, when in enumerate(at)
        ],
        Verification: [
            {
                "incident_id": number + 1, "status": "recovered", "measures": [],
                "attempts": 1, "started_at": when,
                "deadline_at": when, "finished_at": when,
            }
            for number, when in enumerate(at)
        ],
        OutboxJob: [
            {
                "actor": "deliver", "arguments": {}, "key": f"{number}", "created_at": when, "available_at": when,
                "sent_at": when, "done_at": when if number else None, "dead_at": None if number else when,
                "attempts": 0,
            }
            for number, when in enumerate(at)
        ],
    }  # fmt: skip


@pytest.fixture
def full(engine: Engine, sessions: sessionmaker[Session]) -> sessionmaker[Session]:
    with sessions.begin() as session:
        for model, values in rows().items():
            session.execute(insert(model), values)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return sessions


@contextmanager
def statements(engine: Engine) -> Iterator[list[tuple[str, Any]]]:
    seen: list[tuple[str, Any]] = []

    def record(_c: object, _cursor: object, statement: str, parameters: Any, _x: object, _many: bool) -> None:
        seen.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", record)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", record)


def plan(engine: Engine, sessions: sessionmaker[Session], query: Query) -> str:
    """Return the database's plan of the first statement that the query executes."""
    with statements(engine) as seen, sessions() as session:
        query(session)
    statement, parameters = next((s, p) for s, p in seen if s.lstrip().upper().startswith("SELECT"))
    prefix = "EXPLAIN " if engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    with engine.connect() as connection:
        answer = connection.exec_driver_sql(prefix + statement, parameters)
        return "\n".join(" ".join(str(part) for part in row) for row in answer)


QUESTIONS: dict[str, tuple[Query, str, str]] = {
    "recently closed": (lambda s: incidents.recently_closed(s, RECENT), "ix_incidents_closed_at", "incidents"),
    "unseen": (lambda s: incidents.unseen_since(s, RECENT), "ix_findings_last_seen_at", "verifications"),
    "running": (verifications.running_verifications, "ix_verifications_status", "verifications"),
    "dead letters": (outbox.dead_letters, "ix_outbox_dead_at", "outbox"),
    "to delete": (lambda s: dead_letters.prune(s, NOW - timedelta(days=900)), "ix_outbox_done_at", "outbox"),
    "on their way": (
        lambda s: outbox.sent_and_unfinished(s, sent_before=NOW, limit=100),
        "ix_outbox_unfinished",
        "outbox",
    ),
}


def test_every_question_of_a_tick_or_a_pass_is_answered_by_an_index(
    engine: Engine, full: sessionmaker[Session]
) -> None:
    plans = {name: plan(engine, full, query) for name, (query, _, _) in QUESTIONS.items()}
    for name, (_, index, table) in QUESTIONS.items():
        how = plans[name]
        assert index in how, f"{name}:\n{how}"
        assert f"SCAN {table}\n" not in f"{how}\n", f"{name}:\n{how}"
        assert f"Seq Scan on {table}" not in how, f"{name}:\n{how}"
