"""Read the telemetry of an export: log lines, samples of metrics, and spans, with the readers of the doors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

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
_OTLP_ERROR, _OTLP_SERVER, _OTLP_INTERNAL, _OTLP_CLIENT = 2, 2, 1, 3
_OTLP_KINDS = {"server": _OTLP_SERVER, "client": _OTLP_CLIENT, "internal": _OTLP_INTERNAL}
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
    found, requests = [], []
    services: dict[tuple[str, str], str] = {}
    for place, span in _spans(path, problems):
        try:
            trace, span_id = name(span, "trace_id", "traceId"), name(span, "span_id", "spanId", "id")
            services[trace, span_id] = name(span, "service", "service_name", "service.name")
            found.append((place, span))
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    for place, span in found:
        try:
            requests.append((place, _otlp(span, services)))
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    if not requests:
        return []
    body = json.dumps({"resourceSpans": [request for _, request in requests]}).encode()
    parsed = parse_traces(body, content_type="application/json", now=FAR_FUTURE, max_decoded_bytes=_LARGEST_REQUEST)
    for rejection in parsed.rejections:
        problems.add(path.name, requests[rejection.index][0], f"{rejection.field}: {rejection.message}")
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


def _otlp(span: Mapping[str, object], services: Mapping[tuple[str, str], str]) -> dict[str, object]:
    """Return a ResourceSpans of this one span. One that names no kind served a request if another service called it."""
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
    guessed = _OTLP_SERVER if is_entry else _OTLP_CLIENT if "peer.service" in attributes else _OTLP_INTERNAL
    kind = _OTLP_KINDS.get((text(span, "kind") or "").lower().removeprefix("span_kind_"), guessed)
    is_error = (text(span, "status") or "").upper() in {"ERROR", "STATUS_CODE_ERROR", "2"}
    start = int(started * 1e9)
    return {
        "resource": {"attributes": _attributes({"service.name": service, "service.version": text(span, "version")})},
        "scopeSpans": [
            {
                "spans": [
                    {
                        "traceId": _hex(trace, 32),
                        "spanId": _hex(f"{trace}/{span_id}", 16),
                        "parentSpanId": _hex(f"{trace}/{parent}", 16) if parent else "",
                        "name": (text(span, "name") or "unnamed")[:LONGEST_NAME],
                        "kind": kind,
                        "startTimeUnixNano": str(start),
                        "endTimeUnixNano": str(start + int(max(duration, 0.0) * 1e6)),
                        "status": {"code": _OTLP_ERROR} if is_error else {},
                        "attributes": _attributes(attributes),
                    }
                ]
            }
        ],
    }


def _attributes(found: Mapping[object, object]) -> list[dict[str, object]]:
    return [{"key": str(key), "value": _value(value)} for key, value in found.items() if value is not None]


def _value(value: object) -> dict[str, object]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int) and abs(value) < 2**63:
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": value if isinstance(value, str) else json.dumps(value)}


def _hex(text_of_id: str, digits: int) -> str:
    return hashlib.sha256(text_of_id.encode()).hexdigest()[:digits]


def last_moment(*kinds: Iterable[LogRecord | MetricPoint]) -> float | None:
    """Return the time of the newest record; None without any."""
    return max((record.happened_at for kind in kinds for record in kind), default=None)
