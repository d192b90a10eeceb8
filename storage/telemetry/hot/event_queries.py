"""Query the product events in the hot store."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from storage.telemetry.protocol import EventType
from storage.telemetry.rows.tables import events


def event_types(connection: Connection, *, limit: int) -> Sequence[EventType]:
    """Return event names with their count, first and last time, most frequent first."""
    columns = events.c
    count = func.count()
    query = (
        select(columns.event, count, func.min(columns.happened_at), func.max(columns.happened_at))
        .group_by(columns.event)
        .order_by(count.desc(), columns.event)
        .limit(limit)
    )
    return [EventType(*row) for row in connection.execute(query)]
