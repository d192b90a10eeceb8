"""Convert JSON documents to log records, by the field names of Elastic Common Schema and of common loggers.

https://www.elastic.co/docs/reference/ecs/ecs-field-reference
"""

from __future__ import annotations

from collections.abc import Mapping

from detection.types import LogRecord
from integrations.inbound.monitoring.log_fields import (
    UNKNOWN_SERVICE,
    bounded_attributes,
    clipped,
    field,
    severity,
    severity_within,
    short_text,
    time_of,
)
from integrations.inbound.reading.times import Zoneless

MESSAGES = ("message", "msg", "log", "event.original", "body", "text")
TIMES = ("@timestamp", "timestamp", "time", "ts", "date")
LEVELS = ("log.level", "level", "severity", "severity_text", "levelname", "status")
SERVICES = ("service.name", "service", "service_name", "app", "application", "kubernetes.container.name")
VERSIONS = ("service.version", "version")
TRACES = ("trace.id", "trace_id", "traceId")


def to_record(
    document: Mapping[str, object],
    record_id: str,
    *,
    now: float,
    service: str | None = None,
    happened_at: float | None = None,
    zoneless: Zoneless | None = None,
) -> LogRecord:
    """Convert the document to a log record. The default time is `now`; the default body is the whole document.

    `service` is the default if the document has none. `happened_at` overrides the document's time.
    `zoneless` says what a time without a zone means, if that is known. Raises FieldError.
    """
    if happened_at is None:
        happened_at = time_of(document, *TIMES, now=now, zoneless=zoneless)
    message = field(document, *MESSAGES)
    body = clipped(dict(document) if message is None else message)
    level = field(document, *LEVELS)
    return LogRecord(
        record_id=record_id,
        service=short_text(document, *SERVICES) or service or UNKNOWN_SERVICE,
        version=short_text(document, *VERSIONS),
        happened_at=now if happened_at is None else happened_at,
        severity=severity_within(body) if level is None else severity(level),
        body=body,
        trace_id=short_text(document, *TRACES),
        attributes={} if message is None else bounded_attributes(document, without=("@timestamp", *MESSAGES)),
    )
