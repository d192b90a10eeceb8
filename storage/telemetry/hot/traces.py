"""Read whole traces from the hot store: those that failed, the slowest, and some ordinary ones to compare with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select

from detection.types import Span, SpanKind
from storage.telemetry.rows.tables import requests, spans

NEWEST_REQUESTS = 200_000
"""Among how many of the newest requests the traces are looked for, so that a large store is not read whole."""

_LONGEST_TRACE = 300
_AT_ONCE = 400


def traces(connection: Connection, *, since: float, until: float, limit: int) -> Sequence[Sequence[Span]]:
    """Return up to `limit` traces: failed requests, the slowest, and the oldest, a third of each."""
    columns = requests.c
    newest = (connection.scalar(select(func.max(columns.sequence))) or 0) - NEWEST_REQUESTS
    wanted: dict[str, None] = {}
    in_time = (columns.sequence > newest, columns.started_at >= since, columns.started_at < until)
    for condition, order in (
        (columns.is_error, columns.sequence.desc()),
        (~columns.is_error, columns.duration_ms.desc()),
        (~columns.is_error, columns.started_at),
    ):
        query = select(columns.trace_id).where(*in_time, condition).order_by(order).limit(limit // 3)
        wanted.update(dict.fromkeys(connection.scalars(query)))
    found: dict[str, list[Span]] = defaultdict(list)
    ids = list(wanted)
    for place in range(0, len(ids), _AT_ONCE):
        query = select(spans).where(spans.c.trace_id.in_(ids[place : place + _AT_ONCE])).order_by(spans.c.started_at)
        for row in connection.execute(query):
            found[row.trace_id].append(_span(row))
    return [found[trace_id][:_LONGEST_TRACE] for trace_id in ids if trace_id in found]


def _span(row: Row[Any]) -> Span:
    return Span(
        trace_id=row.trace_id,
        span_id=row.span_id,
        parent_span_id=row.parent_span_id,
        kind=SpanKind(row.kind),
        name=row.name,
        service=row.service,
        version=row.version,
        started_at=row.started_at,
        duration_ms=row.duration_ms,
        is_error=row.is_error,
        endpoint=row.endpoint,
        status_code=row.status_code,
        statement=row.statement,
    )
