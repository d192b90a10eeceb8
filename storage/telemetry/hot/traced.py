"""Read the spans of a time in brief, with the lines of their traces: all of them, or a sample of whole traces."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, func, select

from storage.telemetry.hot.traces import NEWEST_REQUESTS
from storage.telemetry.protocol import Traced, TracedLine, TracedSpan
from storage.telemetry.rows.bulk import read_columns
from storage.telemetry.rows.tables import log_records, spans

_ENDINGS = 256
_DIGITS = 2


def traced_between(connection: Connection, *, since: float, until: float, most_spans: int) -> Traced:
    """Return the spans that started within the time, and the lines of their traces in that time.

    Only among so many of the newest spans as are read in a second, whatever the store holds. Of more than `most_spans`,
    the traces are chosen by the ends of their ids, which are random, so that all spans and lines of a trace stay or go
    together. A trace whose id ends in no lower-case hexadecimal digits may stay though others go.
    """
    columns = spans.c
    newest = (connection.scalar(select(func.max(columns.sequence))) or 0) - NEWEST_REQUESTS
    in_time = (columns.sequence > newest, columns.started_at >= since, columns.started_at < until)
    count = connection.scalar(select(func.count()).select_from(spans).where(*in_time)) or 0
    if not count:
        return Traced((), (), 1.0)
    ending = max(int(_ENDINGS * most_spans / count), 1) if count > most_spans else _ENDINGS
    wanted = select(*(columns[name] for name in TracedSpan._fields)).where(*in_time, *_chosen(columns.trace_id, ending))
    said = log_records.c
    lines = select(*(said[name] for name in TracedLine._fields)).where(
        said.happened_at >= since,
        said.happened_at < until,
        said.trace_id.is_not(None),
        *_chosen(said.trace_id, ending),
    )
    return Traced(
        [TracedSpan(*row) for row in _rows(connection, wanted)],
        [TracedLine(*row) for row in _rows(connection, lines.limit(2 * most_spans))],
        ending / _ENDINGS,
    )


def _chosen(trace_id: Column[str], ending: int) -> list[ColumnElement[bool]]:
    """Return the condition that keeps ending / 256 of the traces; none where all are kept."""
    if ending >= _ENDINGS:
        return []
    digits = func.substr(trace_id, func.length(trace_id) - _DIGITS + 1)
    return [digits < f"{ending:0{_DIGITS}x}"]


def _rows(connection: Connection, query: Select[Any]) -> zip[tuple[Any, ...]]:
    return zip(*read_columns(connection, query), strict=True)
