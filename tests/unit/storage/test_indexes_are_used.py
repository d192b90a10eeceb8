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
from storage import alerts, audit, dead_letters, deliveries, diagnoses, incidents, outbox, proposals, verifications
from storage.models import (
    Alert,
    Approval,
    AuditEntry,
    Delivery,
    Diagnosis,
    FindingRecord,
    Incident,
    OutboxJob,
    Proposal,
    Verification,
)

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
        Alert: [
            {
                "fingerprint": f"{number}", "source": "am", "name": f"alert {number}", "service": "shop",
                "state": alerts.RESOLVED if number > 3 else alerts.FIRING, "started_at": when,
                "ended_at": when if number > 3 else None, "heard_at": when, "quiet_at": when,
                "told_at": when if number > 3 else None, "summary": "", "url": "", "values": {},
            }
            for number, when in enumerate(at)
        ],
        AuditEntry: [
            {
                "sequence": number + 1, "happened_at": when, "actor": "Ana", "payload": {"proposal_id": number},
                "event": audit.APPROVED if number < 3 else "acknowledge", "previous_mac": "", "mac": "",
            }
            for number, when in enumerate(at)
        ],
        Diagnosis: [
            {
                "incident_id": number + 1, "status": "concluded" if number else "running", "checkpoints": {},
                "started_at": when,
            }
            for number, when in enumerate(at)
        ],
        Proposal: [
            {
                "incident_id": number + 1, "action": "revert_pull_request", "title": "", "parameters": {},
                "content_hash": "", "risk": "low", "blast_radius": "", "verified_by": "", "undone_by": "",
                "status": "expired" if number else "open", "created_at": when, "expires_at": when,
            }
            for number, when in enumerate(at)
        ],
        Delivery: [
            {
                "incident_id": number + 1, "key": f"{number}", "purpose": "thread", "channel": "C1", "content": {},
                "message_id": f"{number}.0",
                "status": "delivered" if number else "blocked", "attempts": 1, "created_at": when,
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


def approved(session: Session) -> object:
    approval = Approval(proposal_id=1, content_hash="", decision="approved", decided_by="Ana", decided_by_id="UANA")
    return audit.approval_fault(session, approval, key=b"key")


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
    "to send": (lambda s: outbox.due(s, now=NOW, limit=100), "ix_outbox_pending", "outbox"),
    "of one incident": (lambda s: outbox.unfinished(s, "diagnose:1:"), "ix_outbox_unfinished", "outbox"),
    "firing": (lambda s: alerts.firing_alerts(s, now=NOW), "ix_alerts_state", "alerts"),
    "ends to tell": (lambda s: alerts.unannounced_ends(s, ended_by=NOW), "ix_alerts_untold_end", "alerts"),
    "of one name": (lambda s: alerts.alerts_named(s, "alert 7", "shop"), "ix_alerts_name", "alerts"),
    "of these names": (lambda s: alerts.fingerprints_named(s, {"alert 7", "alert 8"}), "ix_alerts_name", "alerts"),
    "who approved": (approved, "ix_audit_event", "audit"),
    "overdue": (lambda s: diagnoses.running_since(s, NOW), "ix_diagnoses_status", "diagnoses"),
    "offers to expire": (lambda s: proposals.expire_open(s, now=NOW), "ix_proposals_status", "proposals"),
    "newest": (lambda s: incidents.list_incidents(s, limit=50), "ix_incidents_opened_at", "incidents"),
    "active": (incidents.active_incidents, "ix_incidents_status", "incidents"),
    "snoozes": (lambda s: incidents.expired_snoozes(s, NOW), "ix_incidents_snoozed_until", "incidents"),
    "muted": (lambda s: incidents.muted(s, NOW), "ix_incidents_muted_until", "incidents"),
    "pressed on": (lambda s: deliveries.at(s, "C1", "7.0"), "ix_deliveries_message_id", "deliveries"),
    "held": (deliveries.waiting, "ix_deliveries_status", "deliveries"),
    "next in a thread": (lambda s: deliveries.first_waiting(s, 7), "ix_deliveries_incident_id", "deliveries"),
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
