"""Read a plain log line, as a program prints it, with the time and the level that it contains."""

from __future__ import annotations

import re

import msgspec

from detection.types import LogRecord
from integrations.inbound.monitoring.documents import to_record as document_record
from integrations.inbound.monitoring.log_fields import clipped, severity_within
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time

_LEADING_TIME = re.compile(r"\[?(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)")


def line_record(line: str, record_id: str, service: str, *, now: float) -> LogRecord:
    """Convert the line to a log record. A JSON object is read by its fields. An implausible time becomes `now`."""
    if line.startswith("{"):
        found = _json_record(line, record_id, service, now)
        if found is not None:
            return found
    return LogRecord(
        record_id=record_id,
        service=service,
        version=None,
        happened_at=leading_time(line, now=now),
        severity=severity_within(line),
        body=clipped(line),
    )


def leading_time(line: str, *, now: float) -> float:
    """Return the ISO 8601 time at the start of a line (UTC if it has no zone), else `now`."""
    found = _LEADING_TIME.match(line)
    if found is None:
        return now
    try:
        return parse_time(found.group(1).replace(",", "."), now=now, field="line")
    except FieldError:
        return now


def _json_record(line: str, record_id: str, service: str, now: float) -> LogRecord | None:
    try:
        document = msgspec.json.decode(line)
        return document_record(document, record_id, service=service, now=now) if isinstance(document, dict) else None
    except (msgspec.DecodeError, FieldError, RecursionError, UnicodeEncodeError):
        return None
