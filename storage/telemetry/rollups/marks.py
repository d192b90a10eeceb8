"""Marks: how far each roll-up has read, and how far it may read.

Roll-ups read records in the order of their sequence numbers. PostgreSQL assigns a sequence number before commit, so
number 7 may become visible after number 9. Therefore every append holds a shared lock until its commit, and a roll-up
first takes that lock exclusively for a moment. At that moment no append is in flight, so every record up to the highest
number seen is visible, and later appends get higher numbers. (Waiting for a fixed time instead would lose the records
of an append that takes longer.) SQLite has one writer at a time, so numbers and commits have the same order.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select

from storage.database.locks import Lock, lock_exclusive
from storage.database.session import read_only
from storage.telemetry.protocol import HighWater
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.tables import events, log_records, metric_points, rollup_marks, spans


def high_water(engine: Engine) -> HighWater:
    """Read how far roll-ups may go. Waits for appends in flight; new appends wait only until this read is over."""
    with read_only(engine).begin() as connection:
        lock_exclusive(connection, Lock.APPEND)
        highest = select(
            select(func.coalesce(func.max(events.c.sequence), 0)).scalar_subquery(),
            select(func.coalesce(func.max(spans.c.sequence), 0)).scalar_subquery(),
            select(func.coalesce(func.max(metric_points.c.sequence), 0)).scalar_subquery(),
            select(func.coalesce(func.max(log_records.c.sequence), 0)).scalar_subquery(),
        )
        return HighWater(*connection.execute(highest).one())


def marks(connection: Connection) -> HighWater:
    """Return the sequences up to which each kind of record is rolled up."""
    rows = connection.execute(select(rollup_marks.c.kind, rollup_marks.c.sequence))
    known = {row.kind: row.sequence for row in rows}
    return HighWater(*(known.get(kind, 0) for kind in HighWater._fields))


def mark(connection: Connection, kind: str) -> int:
    """Return the sequence up to which a kind of record is rolled up; 0 for none. kind: events, spans, points, logs.

    "metric_series" is a counter, not a roll-up: the last id given to a series.
    """
    found = connection.scalar(select(rollup_marks.c.sequence).where(rollup_marks.c.kind == kind))
    return found or 0


def set_mark(connection: Connection, kind: str, sequence: int) -> None:
    """Store the mark of a kind, in the transaction that rolls the records up."""
    put(connection, rollup_marks, ("kind", "sequence"), [(kind, sequence)])
