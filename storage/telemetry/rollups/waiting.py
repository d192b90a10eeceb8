"""Which records wait to be rolled up, and since when."""

from __future__ import annotations

from sqlalchemy import Connection, Table, select

from storage.telemetry.protocol import HighWater, WholeUntil
from storage.telemetry.rollups.marks import marks
from storage.telemetry.rows.tables import events, log_records, metric_points, spans

SETTLING_SECONDS = 2.0
"""How long a server span waits for its database spans, which exporters may send in another batch."""

_TABLES: tuple[Table, ...] = (events, spans, metric_points, log_records)


def whole_until(connection: Connection, *, now: float, up_to: HighWater | None) -> WholeUntil:
    """Return for each kind `now`, or the arrival of the oldest record that waits; none above `up_to` counts."""
    tops = up_to or (None, None, None, None)
    arrivals = (
        _oldest_arrival(connection, table, above, top)
        for table, above, top in zip(_TABLES, marks(connection), tops, strict=True)
    )
    return WholeUntil(*(now if at is None or at > now - SETTLING_SECONDS else at for at in arrivals))


def _oldest_arrival(connection: Connection, table: Table, above: int, top: int | None) -> float | None:
    query = select(table.c.arrived_at).where(table.c.sequence > above).order_by(table.c.sequence).limit(1)
    return connection.scalar(query if top is None else query.where(table.c.sequence <= top))
