"""Read a plain log line, as a program prints it, with the time and the level that it contains."""

from __future__ import annotations

import re
from collections.abc import Mapping

from detection.types import LogRecord
from integrations.inbound.lines.understanding import understand
from integrations.inbound.monitoring.documents import TIMES, TRACES, VERSIONS
from integrations.inbound.monitoring.log_fields import bounded_attributes, clipped, short_text, time_of
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time
from integrations.inbound.sources.names import service_of

_LEADING_TIME = re.compile(r"\[?(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)")


def line_record(line: str, record_id: str, service: str, *, now: float) -> LogRecord:
    """Convert the line to a log record. A JSON object is read by its fields. An implausible time becomes `now`."""
    understood = understand(line)
    document = understood.document
    return LogRecord(
        record_id=record_id,
        service=service_of(document) or service,
        version=short_text(document, *VERSIONS),
        happened_at=_time(document, line, now),
        severity=understood.severity,
        body=clipped(understood.body),
        trace_id=short_text(document, *TRACES),
        attributes=bounded_attributes(understood.fields, without=("@timestamp",)),
    )


def _time(document: Mapping[str, object], line: str, now: float) -> float:
    try:
        happened_at = time_of(document, *TIMES, now=now)
    except FieldError:
        happened_at = None
    return leading_time(line, now=now) if happened_at is None else happened_at


def leading_time(line: str, *, now: float) -> float:
    """Return the ISO 8601 time at the start of a line (UTC if it has no zone), else `now`."""
    found = _LEADING_TIME.match(line)
    if found is None:
        return now
    try:
        return parse_time(found.group(1).replace(",", "."), now=now, field="line")
    except FieldError:
        return now
