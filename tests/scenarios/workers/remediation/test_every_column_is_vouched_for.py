"""Whatever column somebody changes beside the audit chain, `argux audit verify` finds it, or it decides nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, Column, update

from bot.commands.keys import create, revoke
from storage import audit
from storage.audit_tables import disagreements
from storage.models import Action, ApiKey, Approval, Incident, MaintenanceWindow, Proposal, Verification
from tests.scenarios.workers.clicks.test_people_decide import click, close, submit
from tests.scenarios.workers.incidents import offered, opened
from tests.scenarios.workers.worker import Clock, Worker, settle, verify
from workers.rules.maintenance import end_window, start_window
from workers.services import Services

IRRELEVANT = {
    "incidents": {
        "title": "a heading", "severity": "a colour", "service": "what is measured is in the findings",
        "onset_at": "shown only", "opened_at": "shown only", "updated_at": "shown only",
        "acknowledged_at": "shown only", "acknowledged_by": "shown only", "ticket_url": "shown only",
    },
    "proposals": {
        "diagnosis_id": "shown only", "title": "shown only", "risk": "shown only", "blast_radius": "shown only",
        "verified_by": "shown only", "undone_by": "shown only", "created_at": "shown only",
        "content_hash": "what the row does is hashed anew each time",
        "status": "without the approval in the chain no status merges anything",
        "expires_at": "an offer that is shown late is read and approved anew",
    },
    "approvals": {"id": "nothing refers to it"},
    "verifications": {
        "action_id": "which deploy is waited for", "measures": "shown only", "attempts": "a count",
        "live_at": "shown only once it has ended", "started_at": "shown only once it has ended",
        "deadline_at": "over once it has ended",
    },
    "maintenance_windows": {
        "made_by": "shown only", "created_at": "shown only", "ended_by": "shown only", "closed_at": "what was told",
    },
    "api_keys": {"prefix": "shown only", "created_at": "shown only"},
}  # fmt: skip
"""Columns that decide neither what is merged, nor who is let in, nor what is kept quiet; and why."""

TABLES = (Incident, Proposal, Approval, Action, Verification, MaintenanceWindow, ApiKey)


def everything_happened(services: Services, worker: Worker, clock: Clock) -> None:
    """Leave at least one row in every table: merged, verified, closed, muted, snoozed, escalated, quiet, let in."""
    merged = opened(services)
    settle(worker)
    click(services, "approve_fix", offered(services, merged))
    submit(services)
    settle(worker)
    clock.forward(services.settings.verification_deadline_minutes * 60 + 1)
    verify(services)
    close(services, "resolve", merged)
    muted, snoozed = opened(services), opened(services)
    close(services, "false_alarm", muted)
    for button in ("snooze", "create_ticket", "escalate"):
        click(services, button, snoozed)
    settle(worker)
    now = clock()
    with services.sessions.begin() as session:
        for ends in (2, 3):
            window = start_window(
                services, session, service="shop", begins_at=now, ends_at=now + timedelta(hours=ends),
                reason="a new database", actor="ana", now=now,
            )  # fmt: skip
        create(services, session, "shop", "ingest")
        create(services, session, "ana", "operator")
    with services.sessions.begin() as session:
        end_window(services, session, window.id, actor="ana", now=now)
        revoke(services, session, "shop")


def another(value: Any, column: Column[Any]) -> Any:
    """Return another value of the same type."""
    if value is None:
        return datetime.fromisoformat("2030-01-01T00:00:00+00:00") if "DATETIME" in repr(column.type).upper() else "x"
    if isinstance(value, StrEnum):
        return next(other for other in reversed(type(value)) if other is not value)
    if isinstance(column.type, Boolean):
        return not value
    if isinstance(value, datetime):
        return value + timedelta(seconds=1)
    if isinstance(value, dict):
        return {**value, "forged": True}
    if isinstance(value, list):
        return [*value, {"forged": True}]
    return value + 1000 if isinstance(value, int) else f"x{value}"[: getattr(column.type, "length", None)]


def checked_columns() -> Iterator[tuple[Any, str]]:
    for table in TABLES:
        for column in table.__table__.columns:
            if column.name not in IRRELEVANT.get(table.__tablename__, {}):
                yield table, column.name


def found(services: Services) -> list[str]:
    with services.snapshots() as session:
        assert audit.verify(session, key=services.audit_key).ok
        return disagreements(session)


def test_what_happened_by_itself_agrees_with_the_chain(services: Services, worker: Worker, clock: Clock) -> None:
    everything_happened(services, worker, clock)
    assert found(services) == []


def test_a_change_of_any_column_that_decides_something_is_found(
    services: Services, worker: Worker, clock: Clock
) -> None:
    everything_happened(services, worker, clock)
    unseen = []
    for table, name in checked_columns():
        column = table.__table__.columns[name]
        for key, value in rows_with(services, table, name):
            if value is None and name.endswith(("snoozed_until", "snoozed_by", "escalated_by", "ticket_key")):
                # What is not set hides nothing; that it was set is found where it is.
                continue
            with services.engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("COMMIT")
                    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                    connection.exec_driver_sql("BEGIN")
                else:
                    connection.exec_driver_sql("SET session_replication_role = replica")
                connection.execute(
                    update(table.__table__)
                    .where(table.__table__.columns["id"] == key)
                    .values({name: another(value, column)})
                )
                with services.sessions(bind=connection) as session:
                    if not disagreements(session):
                        unseen.append(f"{table.__tablename__}.{name} of {key}: {value!r}")
                connection.rollback()
    assert not unseen, "\n".join(unseen)


def rows_with(services: Services, table: Any, name: str) -> list[tuple[int, Any]]:
    """Return the first row with a value in this column and the first without: (id, value)."""
    with services.readers() as session:
        rows = [(row.id, getattr(row, name)) for row in session.query(table).order_by(table.id)]
    firsts = {value is None: (key, value) for key, value in reversed(rows)}
    return list(firsts.values())


def test_a_key_or_a_window_that_somebody_put_there_is_found(services: Services, worker: Worker, clock: Clock) -> None:
    everything_happened(services, worker, clock)
    now = clock()
    with services.sessions.begin() as session:
        session.add(ApiKey(name="mallory", prefix="argux_1", secret_hash="0" * 64, role="operator", created_at=now))
        session.add(
            MaintenanceWindow(
                begins_at=now, ends_at=now + timedelta(days=9), reason="", made_by="mallory", created_at=now
            )
        )
    lines = found(services)
    assert any("the key mallory" in line for line in lines)
    assert any("maintenance window 3" in line for line in lines)
