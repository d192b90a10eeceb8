"""Read a plain log line, as a program prints it, with the time and the level that it contains."""

from __future__ import annotations

from collections.abc import Mapping

from detection.types import LogRecord
from integrations.inbound.lines.escapes import plain
from integrations.inbound.lines.understanding import understand
from integrations.inbound.monitoring.documents import TIMES, TRACES, VERSIONS
from integrations.inbound.monitoring.log_fields import bounded_attributes, clipped, short_text, time_said
from integrations.inbound.reading.line_times import leading_time
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import Zoneless
from integrations.inbound.sources.names import service_of


def line_record(line: str, record_id: str, service: str, *, now: float, zoneless: Zoneless | None = None) -> LogRecord:
    """Convert the line to a log record. A JSON object is read by its fields. An implausible time becomes `now`.

    zoneless: what a time without a zone means, if that is known.
    """
    understood = understand(line)
    document = understood.document
    return LogRecord(
        record_id=record_id,
        service=service_of(document) or service,
        version=short_text(document, *VERSIONS),
        happened_at=_time(document, line, now, zoneless),
        severity=understood.severity,
        body=clipped(understood.body),
        trace_id=short_text(document, *TRACES),
        attributes=bounded_attributes(understood.fields, without=("@timestamp",)),
    )


def _time(document: Mapping[str, object], line: str, now: float, zoneless: Zoneless | None) -> float:
    try:
        happened_at = time_said(document, *TIMES, now=now, zoneless=zoneless)
    except FieldError:
        happened_at = None
    return leading_time(plain(line), now=now, zoneless=zoneless) if happened_at is None else happened_at
