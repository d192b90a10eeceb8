"""Read a plain log line, as a program prints it, with the time and the level that it contains."""

from __future__ import annotations

import msgspec

from detection.types import LogRecord
from integrations.inbound.monitoring.documents import to_record as document_record
from integrations.inbound.monitoring.log_fields import clipped, severity_within
from integrations.inbound.reading.line_times import leading_time
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import Zoneless


def line_record(line: str, record_id: str, service: str, *, now: float, zoneless: Zoneless | None = None) -> LogRecord:
    """Convert the line to a log record. A JSON object is read by its fields. An implausible time becomes `now`.

    zoneless: what a time without a zone means, if that is known.
    """
    if line.startswith("{"):
        found = _json_record(line, record_id, service, now, zoneless)
        if found is not None:
            return found
    return LogRecord(
        record_id=record_id,
        service=service,
        version=None,
        happened_at=leading_time(line, now=now, zoneless=zoneless),
        severity=severity_within(line),
        body=clipped(line),
    )


def _json_record(line: str, record_id: str, service: str, now: float, zoneless: Zoneless | None) -> LogRecord | None:
    try:
        document = msgspec.json.decode(line)
        if not isinstance(document, dict):
            return None
        return document_record(document, record_id, service=service, now=now, zoneless=zoneless)
    except (msgspec.DecodeError, FieldError, RecursionError, UnicodeEncodeError):
        return None
