"""Convert OTLP log records to our own: https://opentelemetry.io/docs/specs/otel/logs/data-model/."""

from __future__ import annotations

import hashlib
import struct
from collections import Counter
from collections.abc import Iterable

import msgspec
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as OtlpLogRecord

from detection.types import LogRecord
from integrations.inbound.otlp.parts import Located
from integrations.inbound.otlp.values import any_value, attributes, nanoseconds, text
from integrations.inbound.reading.records import FieldError, Parsed, rejection_at

SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""Each name stands for four of OTLP's severity numbers, 1 to 24."""


def read_logs(located: Iterable[Located[OtlpLogRecord]], *, now: float) -> Parsed[LogRecord]:
    """Read every log record of a request. A rejection's index counts the records of the whole request."""
    parsed: Parsed[LogRecord] = Parsed()
    seen: Counter[bytes] = Counter()
    for index, found in enumerate(located):
        try:
            record = found.readable()
            record_id = _record_id(record, found.origin, now, seen)
            parsed.records.append(to_log_record(record, record_id, found.service, found.version, now=now))
        except FieldError as error:
            parsed.rejections.append(rejection_at(index, found.path(), error))
    return parsed


def to_log_record(record: OtlpLogRecord, record_id: str, service: str, version: str | None, *, now: float) -> LogRecord:
    """Convert one log record. Without any time, its time is `now`. Raises FieldError."""
    return LogRecord(
        record_id=record_id,
        service=service,
        version=version,
        happened_at=_time(record, now),
        severity=_severity(record),
        body=_body(record.body),
        trace_id=record.trace_id.hex() if any(record.trace_id) else None,
        attributes=attributes(record.attributes),
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


def _severity(record: OtlpLogRecord) -> str:
    if 1 <= record.severity_number <= 4 * len(SEVERITIES):
        return SEVERITIES[(record.severity_number - 1) // 4]
    return text(record.severity_text, 20).upper() or "INFO"


def _body(body: AnyValue) -> str:
    value = any_value(body)
    if value is None:
        return ""
    return value if isinstance(value, str) else text(msgspec.json.encode(value).decode())
