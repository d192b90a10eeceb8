"""How far the roll-ups have come, and how far they may go.

Records are taken in the order of their sequence numbers. On PostgreSQL numbers are given out before commit: number 7
may become visible after number 9. So every append holds a shared lock until its commit, and a roll-up first takes that
lock alone for a moment: then no append is in flight, and whatever has a number up to the highest one seen is visible.
Later appends get higher numbers. (Waiting a fixed time instead would lose the records of an append slower than it.)
On SQLite there is one writer at a time, so numbers and commits have the same order by nature.
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Engine, func, select

from storage.database.locks import Lock, lock_exclusive
from storage.database.session import read_only
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.tables import events, log_records, metric_points, rollup_marks, spans


class HighWater(NamedTuple):
    """The highest sequence of each kind up to which every record is committed."""

    events: int
    spans: int
    points: int = 0
    logs: int = 0


def high_water(engine: Engine) -> HighWater:
    """Look how far a roll-up may go; waits for the appends in flight, and they for nobody but this look."""
    with read_only(engine).begin() as connection:
        lock_exclusive(connection, Lock.APPEND)
        highest = select(
            select(func.coalesce(func.max(events.c.sequence), 0)).scalar_subquery(),
            select(func.coalesce(func.max(spans.c.sequence), 0)).scalar_subquery(),
            select(func.coalesce(func.max(metric_points.c.sequence), 0)).scalar_subquery(),
            select(func.coalesce(func.max(log_records.c.sequence), 0)).scalar_subquery(),
        )
        return HighWater(*connection.execute(highest).one())


def mark(connection: Connection, kind: str) -> int:
    """The sequence up to which records of a kind (events, spans) are rolled up."""
    found = connection.scalar(select(rollup_marks.c.sequence).where(rollup_marks.c.kind == kind))
    return found or 0


def set_mark(connection: Connection, kind: str, sequence: int) -> None:
    """Remember it, in the transaction that rolled them up."""
    put(connection, rollup_marks, ("kind", "sequence"), [(kind, sequence)])
