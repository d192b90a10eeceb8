"""Read Loki's push API, as used by Promtail, Alloy, Fluent Bit, Docker's log driver and client libraries.

https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec
from google.protobuf.message import DecodeError

from detection.types import LogRecord
from integrations.inbound.lines.fields import level_of
from integrations.inbound.lines.levels import known
from integrations.inbound.lines.traces import join_traces
from integrations.inbound.lines.understanding import Told, understand
from integrations.inbound.monitoring.documents import TRACES, VERSIONS
from integrations.inbound.monitoring.log_fields import (
    UNKNOWN_SERVICE,
    Identities,
    bounded_attributes,
    clipped,
    require_object,
    short_text,
)
from integrations.inbound.monitoring.loki_messages import push_request
from integrations.inbound.reading.batches import decode_leniently
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.compression import decompress_snappy
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, rejection_at
from integrations.inbound.reading.times import check_time, parse_time
from integrations.inbound.sources.names import likely_service_of_labels, service_in_line, service_of_labels

_GUESSED_LEVEL = "detected_level"
"""What Loki or its agent made of the line."""

_TRACES = ("trace_id", "traceID", "traceid")
_VERSIONS = ("service_version", "version")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_.]*)\s*=\s*("(?:[^"\\]|\\.)*")\s*(?:,|$)')


def read_push_json(text: bytes, *, now: float) -> Parsed[LogRecord]:
    """Read a push in JSON. A value is [nanoseconds as text, line, optional metadata]. Raises PayloadError."""
    if not text.strip():
        raise PayloadError("it is empty")
    streams = decode_leniently(without_nul(text)).get("streams")
    if not isinstance(streams, list):
        raise PayloadError("must be an array", "streams")
    identities = Identities("loki")
    parsed: Parsed[LogRecord] = Parsed()
    sources: list[int] = []
    index = 0
    for number, stream in enumerate(streams):
        place = f"streams[{number}]"
        try:
            labels, values = _stream(stream)
        except FieldError as error:
            parsed.rejections.append(rejection_at(index, place, error))
            index += 1
            continue
        for position, value in enumerate(values):
            try:
                seconds, written, line, metadata = _value(value, now)
                parsed.records.append(_to_record(seconds, written, line, labels, metadata, identities))
                sources.append(number)
            except FieldError as error:
                parsed.rejections.append(rejection_at(index, f"{place}.values[{position}]", error))
            index += 1
    parsed.records = join_traces(parsed.records, sources).records
    return parsed


def _stream(stream: object) -> tuple[Mapping[str, object], list[object]]:
    """Return (labels, values) of a stream. Raises FieldError."""
    found = require_object(stream)
    values = found.get("values")
    if not isinstance(values, list):
        raise FieldError("values", "must be an array")
    return require_object(found.get("stream"), "stream"), values


def _value(value: object, now: float) -> tuple[float, str, str, Mapping[str, object]]:
    """Return (seconds, the time as sent, the line, metadata). Raises FieldError."""
    if not isinstance(value, list) or not 2 <= len(value) <= 3:
        raise FieldError("", "must be a time, a line and perhaps metadata")
    nanoseconds, line = value[0], value[1]
    if isinstance(nanoseconds, str) and len(nanoseconds) > 17 and nanoseconds.isascii() and nanoseconds.isdecimal():
        seconds = check_time(int(nanoseconds[:25]) / 1e9, now=now, field="timestamp")
    else:
        seconds = parse_time(nanoseconds, now=now, field="timestamp")
    if not isinstance(line, str):
        raise FieldError("line", "must be a text")
    metadata = value[2] if len(value) == 3 else {}
    if not isinstance(metadata, dict):
        raise FieldError("metadata", "must be an object")
    return seconds, str(nanoseconds), line, metadata


def read_push_protobuf(body: bytes, *, now: float, max_decoded_bytes: int) -> Parsed[LogRecord]:
    """Read a push in Snappy-compressed protobuf, which agents send. Raises PayloadError."""
    request = push_request()()
    try:
        request.ParseFromString(decompress_snappy(body, max_decoded_bytes))
    except DecodeError as error:
        raise PayloadError("it is not a protobuf PushRequest") from error
    identities = Identities("loki")
    parsed: Parsed[LogRecord] = Parsed()
    sources: list[int] = []
    index = 0
    for s, stream in enumerate(request.streams):
        labels = _labels(stream.labels)
        for e, entry in enumerate(stream.entries):
            try:
                seconds = entry.timestamp.seconds + entry.timestamp.nanos / 1e9
                check_time(seconds, now=now, field="timestamp")
                metadata = {_text(pair.name): _text(pair.value) for pair in entry.structuredMetadata}
                written = f"{entry.timestamp.seconds}.{entry.timestamp.nanos}"
                parsed.records.append(_to_record(seconds, written, _text(entry.line), labels, metadata, identities))
                sources.append(s)
            except FieldError as error:
                parsed.rejections.append(rejection_at(index, f"streams[{s}].entries[{e}]", error))
            index += 1
    parsed.records = join_traces(parsed.records, sources).records
    return parsed


def _text(value: bytes) -> str:
    """Decode a text. The message holds bytes, so that one line in another encoding does not lose the whole push."""
    return value.decode("utf-8", "replace")


@lru_cache(maxsize=1024)
def _labels(written: bytes) -> Mapping[str, object]:
    """Parse labels such as `{app="shop", level="error"}`. Invalid parts are left out."""
    inside = _text(written).strip().removeprefix("{").removesuffix("}")
    return {found[1]: _unquoted(found[2]) for found in _LABEL.finditer(inside)}


def _unquoted(quoted: str) -> str:
    try:
        return msgspec.json.decode(quoted, type=str)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return quoted[1:-1]


def _told(found: Mapping[str, object]) -> Told:
    level = level_of(found)
    return Told(level) if level is not None else Told(known(found.get(_GUESSED_LEVEL)), by_stream=True)


def _to_record(
    seconds: float,
    written: str,
    line: str,
    labels: Mapping[str, object],
    metadata: Mapping[str, object],
    identities: Identities,
) -> LogRecord:
    """Convert one entry. written: its time as sent, to the nanosecond, which seconds are too coarse for."""
    sent = {**labels, **metadata}
    understood = understand(line, _told(sent))
    source = msgspec.json.encode([labels, metadata], order="deterministic").decode()
    return LogRecord(
        record_id=identities.of(seconds, written, source, line),
        service=_service(sent, line),
        version=short_text(sent, *_VERSIONS) or short_text(understood.document, *VERSIONS),
        happened_at=seconds,
        severity=understood.severity,
        body=clipped(understood.body),
        trace_id=short_text(sent, *_TRACES) or short_text(understood.document, *TRACES),
        attributes=bounded_attributes(understood.beside(sent)),
    )


def _service(labels: Mapping[str, object], line: str) -> str:
    return service_of_labels(labels) or service_in_line(line) or likely_service_of_labels(labels) or UNKNOWN_SERVICE
