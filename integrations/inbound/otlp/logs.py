"""Convert OTLP log records to our own: https://opentelemetry.io/docs/specs/otel/logs/data-model/."""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as OtlpLogRecord

from detection.types import JsonValue, LogRecord
from integrations.inbound.kubernetes.receivers import REASON, RESOURCE, news_of_attributes, news_of_body
from integrations.inbound.kubernetes.states import News
from integrations.inbound.lines.fields import level_of
from integrations.inbound.lines.levels import of_opentelemetry, of_text
from integrations.inbound.lines.traces import join_traces
from integrations.inbound.lines.understanding import DEFAULT, Told, Understood, understand, understand_document
from integrations.inbound.otlp.parts import Located
from integrations.inbound.otlp.values import SCOPE_PREFIX, any_value, attributes, nanoseconds, text
from integrations.inbound.reading.bounds import bounded_attributes
from integrations.inbound.reading.records import FieldError, Parsed, rejection_at
from integrations.inbound.sources.names import UNKNOWN_SERVICE, likely_service_of, service_in_line, service_of

_EXCEPTION = "exception.type"
_SCOPE_NAME = f"{SCOPE_PREFIX}name"
_STREAMS = ("stdout", "stderr")
_SOURCE = ("log.file.path", "log.file.name", "log.iostream")
"""Attributes that tell the lines of one resource apart."""


def read_logs(located: Iterable[Located[OtlpLogRecord]], *, now: float) -> Parsed[LogRecord]:
    """Read every log record of a request. A rejection's index counts the records of the whole request.

    Beside them stands what the collector's receivers for Kubernetes say in them.
    """
    parsed: Parsed[LogRecord] = Parsed()
    seen: Counter[bytes] = Counter()
    groups: list[tuple[int, ...]] = []
    for index, found in enumerate(located):
        try:
            record = found.readable()
            record_id = _record_id(record, found.origin, now, seen)
            read = to_log_record(record, record_id, found.service, found.version, now=now)
            parsed.records.append(read)
            parsed.beside += _of_kubernetes(record, found, read, now)
            groups.append(found.group)
        except FieldError as error:
            parsed.rejections.append(rejection_at(index, found.path(), error))
    sources = (
        (group, *(str(record.attributes.get(name)) for name in _SOURCE))
        for group, record in zip(groups, parsed.records, strict=True)
    )
    parsed.records = join_traces(parsed.records, sources).records
    return parsed


def _of_kubernetes(record: OtlpLogRecord, found: Located[OtlpLogRecord], read: LogRecord, now: float) -> News:
    """Return what a record of the collector's receivers for Kubernetes says; nothing for any other."""
    if REASON in read.attributes:
        resource = attributes(found.resource.attributes) if found.resource is not None else {}
        return news_of_attributes(
            read.attributes,
            resource,
            message=read.body,
            severity=record.severity_text,
            happened_at=read.happened_at,
            record_id=read.record_id,
        )
    is_object = record.body.HasField("kvlist_value") and (
        RESOURCE in read.attributes or "k8sobjects" in str(found.scope.get(_SCOPE_NAME, ""))
    )
    return news_of_body(any_value(record.body), now=now) if is_object else ()


def to_log_record(record: OtlpLogRecord, record_id: str, service: str, version: str | None, *, now: float) -> LogRecord:
    """Convert one log record. Without any time, its time is `now`. Raises FieldError.

    Where the resource names no service, the record's own attributes or its body may: those of a file or of the journal.
    """
    found = attributes(record.attributes)
    if service.startswith(UNKNOWN_SERVICE):
        body = any_value(record.body)
        within = service_of(body) if isinstance(body, dict) else service_in_line(str(body))
        service = service_of(found) or within or likely_service_of(found) or service
    understood = _understood(any_value(record.body), _told(record, found))
    return LogRecord(
        record_id=record_id,
        service=service,
        version=version,
        happened_at=_time(record, now),
        severity=understood.severity,
        body=text(understood.body),
        trace_id=record.trace_id.hex() if any(record.trace_id) else None,
        attributes={**found, **bounded_attributes(understood.fields, without=found)} if understood.fields else found,
    )


def _record_id(record: OtlpLogRecord, origin: str, now: float, seen: Counter[bytes]) -> str:
    """Return an id: a digest of the content and its origin, plus a counter for equal records of the batch.

    OTLP gives no ids. A resent batch gets the same ids again, and two equal lines of one batch stay two records. A
    record without any time is another one in each batch.
    """
    content = origin.encode() + record.SerializeToString(deterministic=True)
    if not record.time_unix_nano and not record.observed_time_unix_nano:
        content += struct.pack("d", now)
    digest = hashlib.blake2b(content, digest_size=16).digest()
    seen[digest] += 1
    return f"{digest.hex()}-{seen[digest]}" if seen[digest] > 1 else digest.hex()


def _time(record: OtlpLogRecord, now: float) -> float:
    """Return when it happened, else when it was observed, else `now`. Raises FieldError if none of the times can be."""
    times = {"timeUnixNano": record.time_unix_nano, "observedTimeUnixNano": record.observed_time_unix_nano}
    fault: FieldError | None = None
    for name, time in times.items():
        if time:
            try:
                return nanoseconds(time, now=now, field=name)
            except FieldError as error:
                fault = fault or error
    if fault is not None:
        raise fault
    return now


def _told(record: OtlpLogRecord, found: Mapping[str, JsonValue]) -> Told:
    """Return the severity by number, where that says more than INFO, else by text, else by an attribute."""
    by_number = of_opentelemetry(record.severity_number)
    if by_number not in (None, DEFAULT):
        # A collector that takes the severity from the stream says so in the text.
        return Told(by_number, by_stream=record.severity_text in _STREAMS)
    by_text = of_text(record.severity_text) or by_number or level_of(found)
    if by_text is None and _EXCEPTION in found:
        return Told("ERROR")
    return Told(by_text)


def _understood(body: JsonValue, told: Told) -> Understood:
    if isinstance(body, dict):
        return understand_document(body, told)
    if body is None:
        return understand("", told)
    return understand(body if isinstance(body, str) else msgspec.json.encode(body).decode(), told)
