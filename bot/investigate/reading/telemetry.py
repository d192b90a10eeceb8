"""Read the telemetry of an export: log lines, samples of metrics, and spans, with the readers of the doors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from bot.investigate.reading.documents import items_of, lines_of, rows_of
from bot.investigate.reading.fields import FAR_FUTURE, LONGEST_NAME, moment, name, number, required_moment, text
from bot.investigate.reading.problems import Problems
from detection.types import JsonValue, LogRecord, MetricPoint, Span
from integrations.inbound.monitoring.elasticsearch_bulk import read_bulk
from integrations.inbound.otlp.doors import parse_traces
from integrations.inbound.reading.records import FieldError, PayloadError

_CREATE = b'{"create":{}}\n'
_METRIC_COLUMNS = ("timestamp", "service", "metric", "value")
_LARGEST_REQUEST = 500_000_000
_OTLP_KINDS = {
    "server": OtlpSpan.SPAN_KIND_SERVER,
    "client": OtlpSpan.SPAN_KIND_CLIENT,
    "internal": OtlpSpan.SPAN_KIND_INTERNAL,
}
_SPAN_FIELDS = frozenset(
    [
        "trace_id",
        "span_id",
        "parent_id",
        "parent_span_id",
        "service",
        "version",
        "name",
        "start",
        "start_time",
        "timestamp",
        "duration_ms",
        "duration",
        "status",
        "kind",
        "attributes",
        "resource",
    ]
)


def read_logs(path: Path, problems: Problems) -> list[LogRecord]:
    """Return the records of a file with one JSON object a line; lines that are no records are told."""
    numbered = list(lines_of(path, problems))
    if not numbered:
        return []
    if numbered[0][1].lstrip().startswith("["):
        problems.add(path.name, f"line {numbered[0][0]}", "begins a list; write one JSON object a line")
        return []
    documents = b"".join(_CREATE + line.encode() + b"\n" for _, line in numbered)
    try:
        bulk = read_bulk(documents, now=FAR_FUTURE)
    except PayloadError as error:
        problems.add(path.name, "", str(error))
        return []
    for rejection in bulk.parsed.rejections:
        place = f"line {numbered[rejection.index][0]}"
        problems.add(path.name, place, f"{rejection.field}: {rejection.message}".removeprefix(": "))
    without_time = sum(record.happened_at >= FAR_FUTURE for record in bulk.parsed.records)
    if without_time:
        problems.add(path.name, "", f"{without_time} lines have no timestamp and were left out")
    return [record for record in bulk.parsed.records if record.happened_at < FAR_FUTURE]


def read_metrics(path: Path, problems: Problems) -> list[MetricPoint]:
    """Return the points of a CSV file: timestamp, service, metric, value; any other column is an attribute."""
    points = []
    for line, row in rows_of(path, problems, *_METRIC_COLUMNS):
        try:
            points.append(_point(row))
        except FieldError as error:
            problems.add(path.name, f"line {line}", f"{error.field} {error.message}")
    return points


def _point(row: Mapping[str, str]) -> MetricPoint:
    value = number(row, "value")
    if value is None:
        raise FieldError("value", "is no number")
    attributes: dict[str, JsonValue] = {
        column: said for column, said in row.items() if column not in _METRIC_COLUMNS and said
    }
    at = required_moment(row, "timestamp")
    service, metric = name(row, "service"), name(row, "metric")
    key = json.dumps([at, service, metric, attributes], sort_keys=True)
    return MetricPoint(
        point_id=f"export:{hashlib.sha256(key.encode()).hexdigest()[:32]}",
        name=metric,
        service=service,
        happened_at=at,
        value=value,
        attributes=attributes,
    )


def read_spans(path: Path, problems: Problems) -> list[Span]:
    """Return the spans of a list of spans, or of {"traces": [{"trace_id", "spans": […]}]}."""
    found = []
    services: dict[tuple[str, str], str] = {}
    for place, span in _spans(path, problems):
        try:
            trace, span_id = name(span, "trace_id", "traceId"), name(span, "span_id", "spanId", "id")
            services[trace, span_id] = name(span, "service", "service_name", "service.name")
            found.append((place, span))
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    request = ExportTraceServiceRequest()
    groups: dict[tuple[str, str | None], ScopeSpans] = {}
    places: dict[tuple[str, str | None], list[str]] = {}
    for place, span in found:
        try:
            converted, service = _otlp(span, services)
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
            continue
        key = service, text(span, "version")
        if key not in groups:
            resource = request.resource_spans.add()
            resource.resource.attributes.extend(_attributes({"service.name": service, "service.version": key[1]}))
            groups[key], places[key] = resource.scope_spans.add(), []
        groups[key].spans.append(converted)
        places[key].append(place)
    if not groups:
        return []
    parsed = parse_traces(request.SerializeToString(), now=FAR_FUTURE, max_decoded_bytes=_LARGEST_REQUEST)
    in_order = [place for key in groups for place in places[key]]
    for rejection in parsed.rejections:
        problems.add(path.name, in_order[rejection.index], f"{rejection.field}: {rejection.message}")
    return parsed.records


def _spans(path: Path, problems: Problems) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the spans of a list of spans, or of the traces of a list of traces."""
    for place, item in items_of(path, problems, "traces", "spans"):
        spans = item.get("spans")
        if spans is None:
            yield place, item
        elif not isinstance(spans, list):
            problems.add(path.name, place, "spans must be a list")
        else:
            for index, span in enumerate(spans):
                if isinstance(span, dict):
                    yield f"{place}, spans[{index}]", {"trace_id": item.get("trace_id"), **span}
                else:
                    problems.add(path.name, f"{place}, spans[{index}]", "must be an object")


def _otlp(span: Mapping[str, object], services: Mapping[tuple[str, str], str]) -> tuple[OtlpSpan, str]:
    """Return the span and its service. One that names no kind served a request if another service called it."""
    trace, span_id = name(span, "trace_id", "traceId"), name(span, "span_id", "spanId", "id")
    service, parent = services[trace, span_id], text(span, "parent_id", "parent_span_id", "parentSpanId")
    started = moment(span, "start", "start_time", "timestamp", "startTime")
    if started is None:
        raise FieldError("start", "is missing")
    duration = number(span, "duration_ms", "durationMs", "duration") or 0.0
    given = span.get("attributes")
    attributes = {
        **(given if isinstance(given, dict) else {}),
        **{key: value for key, value in span.items() if key not in _SPAN_FIELDS},
    }
    is_entry = parent is None or services.get((trace, parent), service) != service
    guessed = (
        OtlpSpan.SPAN_KIND_SERVER
        if is_entry
        else OtlpSpan.SPAN_KIND_CLIENT
        if "peer.service" in attributes
        else OtlpSpan.SPAN_KIND_INTERNAL
    )
    kind = _OTLP_KINDS.get((text(span, "kind") or "").lower().removeprefix("span_kind_"), guessed)
    is_error = (text(span, "status") or "").upper() in {"ERROR", "STATUS_CODE_ERROR", "2"}
    start = int(started * 1e9)
    converted = OtlpSpan(
        trace_id=_digest(trace, 16),
        span_id=_digest(f"{trace}/{span_id}", 8),
        parent_span_id=_digest(f"{trace}/{parent}", 8) if parent else b"",
        name=_utf8(text(span, "name") or "unnamed")[:LONGEST_NAME],
        kind=kind,
        start_time_unix_nano=start,
        end_time_unix_nano=start + int(max(duration, 0.0) * 1e6),
        status=Status(code=Status.STATUS_CODE_ERROR) if is_error else None,
        attributes=_attributes(attributes),
    )
    return converted, service


def _attributes(found: Mapping[object, object]) -> list[KeyValue]:
    return [KeyValue(key=_utf8(str(key)), value=_value(value)) for key, value in found.items() if value is not None]


def _value(value: object) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int) and abs(value) < 2**63:
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=_utf8(value if isinstance(value, str) else json.dumps(value)))


def _utf8(said: str) -> str:
    """Return a text without the halves of characters that JSON can write, but protobuf cannot."""
    return said.encode("utf-8", "replace").decode()


def _digest(text_of_id: str, size: int) -> bytes:
    return hashlib.sha256(text_of_id.encode("utf-8", "replace")).digest()[:size]


def last_moment(*kinds: Iterable[LogRecord | MetricPoint]) -> float | None:
    """Return the time of the newest record; None without any."""
    return max((record.happened_at for kind in kinds for record in kind), default=None)
