"""A log record as a JSON document: Elastic Common Schema's names, and those that loggers commonly use.

https://www.elastic.co/docs/reference/ecs/ecs-field-reference
"""

from __future__ import annotations

from collections.abc import Mapping

from detection.types import LogRecord
from integrations.inbound.monitoring.log_fields import (
    UNKNOWN_SERVICE,
    clipped,
    field,
    kept,
    name_of,
    severity,
    severity_within,
    time_of,
)

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
) -> LogRecord:
    """The document as a record; without a time it happened now, without a message it is its own message.

    `service` stands where the document names none, `happened_at` before what it says. Raises FieldError.
    """
    if happened_at is None:
        happened_at = time_of(document, *TIMES, now=now)
    message = field(document, *MESSAGES)
    body = clipped(dict(document) if message is None else message)
    level = field(document, *LEVELS)
    return LogRecord(
        record_id=record_id,
        service=name_of(document, *SERVICES) or service or UNKNOWN_SERVICE,
        version=name_of(document, *VERSIONS),
        happened_at=now if happened_at is None else happened_at,
        severity=severity_within(body) if level is None else severity(level),
        body=body,
        trace_id=name_of(document, *TRACES),
        attributes={} if message is None else kept(document, without=("@timestamp", *MESSAGES)),
    )
