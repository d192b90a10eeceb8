"""Convert JSON documents to log records, by the field names of Elastic Common Schema and of common loggers.

https://www.elastic.co/docs/reference/ecs/ecs-field-reference
"""

from __future__ import annotations

from collections.abc import Mapping

from detection.types import LogRecord
from integrations.inbound.lines.understanding import understand_document
from integrations.inbound.monitoring.log_fields import (
    UNKNOWN_SERVICE,
    bounded_attributes,
    clipped,
    short_text,
    time_said,
)
from integrations.inbound.reading.times import Zoneless
from integrations.inbound.sources.names import likely_service_of, service_of
from integrations.inbound.sources.units import service_of_index

TIMES = (
    "@timestamp", "timestamp", "time", "ts", "date", "@t", "datetime", "asctime", "timeMillis", "instant", "t",
    "Timestamp", "TimeStamp", "Time", "eventTime", "time_local", "time_iso8601", "log_time", "logtime", "_time",
    "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP",
)  # fmt: skip
"""The fields in which loggers, servers and the journal write the time, the surest first."""

VERSIONS = ("service.version", "version")
TRACES = ("trace.id", "trace_id", "traceId")


_SOURCE = (
    ("host.name", "hostname", "host", "agent.hostname"),
    ("container.id", "container_id", "docker.container_id", "container.name", "container_name"),
    ("kubernetes.pod.uid", "kubernetes.pod_id", "kubernetes.pod.name", "kubernetes.pod_name", "k8s.pod.name"),
    ("kubernetes.container.name", "kubernetes.container_name", "k8s.container.name"),
    ("log.file.path", "file", "source", "filename"),
    ("stream", "log.iostream"),
    ("process.pid", "pid"),
)


def source_of(document: Mapping[str, object]) -> tuple[str | None, ...]:
    """Return what tells the documents of one source from those of others: host, container, file, stream, process."""
    return tuple(short_text(document, *names) for names in _SOURCE)


def to_record(
    document: Mapping[str, object],
    record_id: str,
    *,
    now: float,
    service: str | None = None,
    index: str | None = None,
    happened_at: float | None = None,
    zoneless: Zoneless | None = None,
) -> LogRecord:
    """Convert the document to a log record. The default time is `now`; the default body is the whole document.

    `service` is the default if the document names none; with `index` weak signs and the index itself are defaults too.
    `happened_at` overrides the document's time. `zoneless` says what a time without a zone means, if that is known.
    Raises FieldError.
    """
    if happened_at is None:
        happened_at = time_said(document, *TIMES, now=now, zoneless=zoneless)
    understood = understand_document(document)
    found = understood.beside(document)
    return LogRecord(
        record_id=record_id,
        service=service_of(found) or service or _likely_service(found, index),
        version=short_text(found, *VERSIONS),
        happened_at=now if happened_at is None else happened_at,
        severity=understood.severity,
        body=clipped(understood.body),
        trace_id=short_text(found, *TRACES),
        attributes=bounded_attributes(understood.fields, without=("@timestamp", "event.original")),
    )


def _likely_service(document: Mapping[str, object], index: str | None) -> str:
    if index is None:
        return UNKNOWN_SERVICE
    return likely_service_of(document) or service_of_index(index)
