"""Convert records to rows of the hot store and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from detection.types import Event, LogRecord, Span
from storage.telemetry.rows.bulk import Row
from storage.telemetry.rows.tables import events, log_records
from storage.telemetry.rows.texts import (
    decode,
    encode,
    normalised_statement,
    severity_rank,
    storable,
    storable_key,
    storable_or_none,
)

EVENT_COLUMNS = (
    "event_id",
    "event",
    "user_id",
    "happened_at",
    "arrived_at",
    "properties",
    "other_id",
    "is_merge",
)
SPAN_COLUMNS = (
    "trace_id",
    "span_id",
    "parent_span_id",
    "kind",
    "name",
    "service",
    "version",
    "started_at",
    "arrived_at",
    "duration_ms",
    "is_error",
    "endpoint",
    "status_code",
    "statement",
)
LOG_COLUMNS = (
    "record_id",
    "service",
    "version",
    "happened_at",
    "arrived_at",
    "severity",
    "severity_rank",
    "body",
    "trace_id",
    "attributes",
)

_NO_OTHER_ID = (None, None)

STORED_EVENT = (events.c.event_id, events.c.event, events.c.user_id, events.c.happened_at, events.c.properties)
"""The columns that `to_event` reads, in its order: select these."""

STORED_LOG_RECORD = (
    log_records.c.record_id,
    log_records.c.service,
    log_records.c.version,
    log_records.c.happened_at,
    log_records.c.severity,
    log_records.c.body,
    log_records.c.trace_id,
    log_records.c.attributes,
)
"""The columns that `to_log_record` reads, in its order: select these."""


def event_rows(sent: Sequence[Event], arrived_at: float) -> list[Row]:
    """Make rows of EVENT_COLUMNS."""
    return [
        (
            storable_key(event.event_id),
            storable_key(event.event),
            storable_key(event.user_id),
            event.happened_at,
            arrived_at,
            encode(event.properties),
            *((storable_key(known.other_id), known.is_merge) if (known := event.also_known_as) else _NO_OTHER_ID),
        )
        for event in sent
    ]


def to_event(row: Sequence[Any]) -> Event:
    """Make an Event from a row of STORED_EVENT."""
    event_id, event, user_id, happened_at, properties = row
    return Event(event_id, event, user_id, happened_at, decode(properties))


def span_rows(spans: Sequence[Span], arrived_at: float) -> list[Row]:
    """Make rows of SPAN_COLUMNS. Literals are removed from SQL statements, because they may be personal data."""
    return [
        (
            storable_key(span.trace_id),
            storable_key(span.span_id),
            None if span.parent_span_id is None else storable_key(span.parent_span_id),
            span.kind.value,
            storable(span.name),
            storable_key(span.service),
            storable_or_none(span.version),
            span.started_at,
            arrived_at,
            span.duration_ms,
            span.is_error,
            None if span.endpoint is None else storable_key(span.endpoint),
            span.status_code,
            None if span.statement is None else normalised_statement(span.statement),
        )
        for span in spans
    ]


def log_rows(records: Sequence[LogRecord], arrived_at: float) -> list[Row]:
    """Make rows of LOG_COLUMNS."""
    return [
        (
            storable_key(record.record_id),
            storable_key(record.service),
            storable_or_none(record.version),
            record.happened_at,
            arrived_at,
            storable(record.severity),
            severity_rank(record.severity),
            storable(record.body),
            storable_or_none(record.trace_id),
            encode(record.attributes),
        )
        for record in records
    ]


def to_log_record(row: Sequence[Any]) -> LogRecord:
    """Make a LogRecord from a row of STORED_LOG_RECORD."""
    record_id, service, version, happened_at, severity, body, trace_id, attributes = row
    return LogRecord(record_id, service, version, happened_at, severity, body, trace_id, decode(attributes))
