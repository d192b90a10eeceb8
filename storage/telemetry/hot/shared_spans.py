"""Spans that share an id: in Zipkin's model both sides of a call, the caller's and the server's, are one span.

Brave and Envoy still send them so, and OpenTelemetry's collector passes them on as two spans with one id:
https://github.com/open-telemetry/opentelemetry-specification/issues/1007. The server's side is a request, whichever of
the two comes first; the caller's side says nothing that the server's does not.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Delete, Engine, delete, select

from detection.types import SpanKind
from storage.telemetry.rows.bulk import Row
from storage.telemetry.rows.records import SPAN_COLUMNS
from storage.telemetry.rows.tables import spans

_KIND = SPAN_COLUMNS.index("kind")
_ID_COLUMNS = 2
_IDS_PER_QUERY = 400


def servers_first(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with server spans first, so that of one id in one batch the server's side is kept."""
    return sorted(rows, key=lambda row: row[_KIND] != SpanKind.SERVER.value)


def servers_of(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that are server spans."""
    return [row for row in rows if row[_KIND] == SpanKind.SERVER.value]


def removal_of_callers(readers: Engine, servers: Sequence[Row]) -> Delete | None:
    """Return the statement that deletes the stored callers' sides of these server spans; None if none is stored."""
    columns = spans.c
    is_caller = columns.kind == SpanKind.OTHER.value
    ids = {row[:_ID_COLUMNS] for row in servers}
    traces = sorted({trace_id for trace_id, _ in ids})
    query = select(columns.sequence, columns.trace_id, columns.span_id).where(is_caller)
    found: list[int] = []
    with readers.connect() as connection:
        for start in range(0, len(traces), _IDS_PER_QUERY):
            some = connection.execute(query.where(columns.trace_id.in_(traces[start : start + _IDS_PER_QUERY])))
            found += [sequence for sequence, *span_id in some if tuple(span_id) in ids]
    return delete(spans).where(columns.sequence.in_(found), is_caller) if found else None
