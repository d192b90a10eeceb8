"""Read single records from the hot store, for evidence and charts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from detection.types import Event, LogRecord, SpanKind
from storage.telemetry.hot.span_trees import SpanNode, nearest_servers
from storage.telemetry.protocol import RequestSample, StatementCount
from storage.telemetry.rows.records import STORED_EVENT, STORED_LOG_RECORD, to_event, to_log_record
from storage.telemetry.rows.tables import events, log_records, requests, spans
from storage.telemetry.rows.texts import severity_rank

REQUESTS_READ_FOR_STATEMENTS = 2_000
REQUESTS_READ_FOR_LAG = 500
SLOWEST_SHARE = 0.02


def request_samples(
    connection: Connection, service: str, endpoint: str, *, since: float, until: float, limit: int
) -> Sequence[RequestSample]:
    """Return requests, newest first."""
    columns = requests.c
    query = (
        select(*(columns[field.name] for field in fields(RequestSample)))
        .where(_of(service, endpoint, since, until))
        .order_by(columns.started_at.desc(), columns.sequence.desc())
        .limit(limit)
    )
    return [RequestSample(*row) for row in connection.execute(query)]


def delivery_lag(connection: Connection, service: str, endpoint: str, *, until: float) -> float:
    """Return the delivery lag in seconds: from a request's start to the arrival of its span.

    At most SLOWEST_SHARE of the newest REQUESTS_READ_FOR_LAG requests took longer; 0.0 without any request.
    """
    columns = requests.c
    newest = (
        select(columns.sequence, columns.started_at)
        .where(columns.service == service, columns.endpoint == endpoint, columns.started_at < until)
        .order_by(columns.started_at.desc())
        .limit(REQUESTS_READ_FOR_LAG)
        .subquery()
    )
    lag = (spans.c.arrived_at - newest.c.started_at).label("lag")
    query = select(lag).join_from(newest, spans, spans.c.sequence == newest.c.sequence).order_by(lag.desc())
    lags = connection.scalars(query).all()
    return float(lags[int(SLOWEST_SHARE * len(lags))]) if lags else 0.0


def statement_counts(
    connection: Connection, service: str, endpoint: str, *, since: float, until: float, limit: int
) -> Sequence[StatementCount]:
    """Count the SQL statements of the newest requests, at most REQUESTS_READ_FOR_STATEMENTS; most frequent first."""
    newest = (
        select(requests.c.trace_id, requests.c.span_id)
        .where(_of(service, endpoint, since, until))
        .order_by(requests.c.started_at.desc(), requests.c.sequence.desc())
        .limit(REQUESTS_READ_FOR_STATEMENTS)
    )
    wanted = {(row.trace_id, row.span_id) for row in connection.execute(newest)}
    traces = select(newest.subquery().c.trace_id)
    columns = (spans.c.trace_id, spans.c.span_id, spans.c.parent_span_id, spans.c.kind, spans.c.statement)
    rows = connection.execute(select(*columns).where(spans.c.trace_id.in_(traces))).all()
    nodes = [SpanNode(row.trace_id, row.span_id, row.parent_span_id, row.kind) for row in rows]
    servers = nearest_servers(nodes).tolist()
    runs = Counter(
        row.statement
        for row, server in zip(rows, servers, strict=True)
        if row.kind == SpanKind.DATABASE
        and row.statement
        and server >= 0
        and (nodes[server].trace_id, nodes[server].span_id) in wanted
    )
    return [StatementCount(statement, count, count / len(wanted)) for statement, count in runs.most_common(limit)]


def versions_seen(connection: Connection, service: str, *, since: float, until: float) -> Sequence[tuple[str, float]]:
    """Return (version, time it was first seen), oldest first."""
    first_seen = func.min(requests.c.started_at)
    query = (
        select(requests.c.version, first_seen)
        .where(
            requests.c.service == service,
            requests.c.started_at >= since,
            requests.c.started_at < until,
            requests.c.version.is_not(None),
        )
        .group_by(requests.c.version)
        .order_by(first_seen)
    )
    return [(version, moment) for version, moment in connection.execute(query)]


def versions_above(connection: Connection, sequence: int) -> tuple[Sequence[tuple[str, str, float]], int]:
    """Return (service, version, time first seen) of the requests above a sequence number, and the highest number."""
    top = connection.scalar(select(func.max(requests.c.sequence))) or 0
    query = (
        select(requests.c.service, requests.c.version, func.min(requests.c.started_at))
        .where(requests.c.sequence > sequence, requests.c.sequence <= top, requests.c.version.is_not(None))
        .group_by(requests.c.service, requests.c.version)
    )
    return [(service, version, moment) for service, version, moment in connection.execute(query)], top


def log_samples(
    connection: Connection,
    *,
    since: float,
    until: float,
    service: str | None,
    minimum_severity: str | None,
    limit: int,
) -> Sequence[LogRecord]:
    """Return log records, newest first."""
    columns = log_records.c
    query = (
        select(*STORED_LOG_RECORD)
        .where(columns.happened_at >= since, columns.happened_at < until)
        .order_by(columns.happened_at.desc(), columns.sequence.desc())
        .limit(limit)
    )
    if service is not None:
        query = query.where(columns.service == service)
    if minimum_severity is not None:
        query = query.where(columns.severity_rank >= severity_rank(minimum_severity))
    return [to_log_record(row) for row in connection.execute(query)]


def recent_events(connection: Connection, *, event: str | None, limit: int, offset: int) -> Sequence[Event]:
    """Return events, newest first."""
    columns = events.c
    query = (
        select(*STORED_EVENT).order_by(columns.happened_at.desc(), columns.sequence.desc()).limit(limit).offset(offset)
    )
    if event is not None:
        query = query.where(columns.event == event)
    return [to_event(row) for row in connection.execute(query)]


def _of(service: str, endpoint: str, since: float, until: float) -> ColumnElement[Any]:
    columns = requests.c
    return (
        (columns.service == service)
        & (columns.endpoint == endpoint)
        & (columns.started_at >= since)
        & (columns.started_at < until)
    )
