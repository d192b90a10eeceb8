"""A plain line of a log, as a program prints it: its time and its level where they stand in it."""

from __future__ import annotations

import re

import msgspec

from detection.types import LogRecord
from integrations.inbound.monitoring.documents import to_record as document_record
from integrations.inbound.monitoring.log_fields import clipped, severity_within
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import moment

_LEADING_TIME = re.compile(r"\[?(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?: ?(?:Z|[+-]\d{2}:?\d{2}))?)")


def line_record(line: str, record_id: str, service: str, *, now: float) -> LogRecord:
    """The line as a record; one that is a JSON object is read by its fields. A time that cannot be true is now."""
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
    """The ISO 8601 time that a line begins with (UTC where it names no zone), else `now`."""
    found = _LEADING_TIME.match(line)
    if found is None:
        return now
    try:
        return moment(found.group(1).replace(",", "."), now=now, field="line")
    except FieldError:
        return now


def _json_record(line: str, record_id: str, service: str, now: float) -> LogRecord | None:
    try:
        document = msgspec.json.decode(line)
        return document_record(document, record_id, service=service, now=now) if isinstance(document, dict) else None
    except (msgspec.DecodeError, FieldError, RecursionError, UnicodeEncodeError):
        return None
