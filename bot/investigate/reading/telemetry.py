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
from integrations.inbound.otlp.spans import span_of
from integrations.inbound.reading.bounds import bounded_attributes
from integrations.inbound.reading.records import FieldError, PayloadError

_CREATE = b'{"create":{}}\n'
_METRIC_COLUMNS = ("timestamp", "service", "metric", "value")
_SAME = "same"
"""Written for a trace's id where it is that of the span before."""

_SERVER = "server"
_KINDS = frozenset({_SERVER, "client", "internal"})
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
    """Return the spans of a list of spans, or of {"traces": [{"trace_id", "spans": […]}]}.

    Ids are kept as they are written, because log lines name them too.
    """
    found: list[tuple[str, Mapping[str, object], str, str]] = []
    services: dict[tuple[str, str], str] = {}
    for place, span in _spans(path, problems):
        try:
            trace, span_id = name(span, "trace_id", "traceId"), name(span, "span_id", "spanId", "id")
            services[trace, span_id] = name(span, "service", "service_name", "service.name")
            found.append((place, span, trace, span_id))
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    spans = []
    for place, span, trace, span_id in found:
        try:
            spans.append(_span(span, trace, span_id, services))
        except FieldError as error:
            problems.add(path.name, place, f"{error.field} {error.message}")
    return spans


def _spans(path: Path, problems: Problems) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield the spans of a list of spans, or of the traces of a list of traces; `_SAME` becomes the trace before."""
    before: object = None
    for place, span in _spans_as_written(path, problems):
        is_same = span.get("trace_id") == _SAME
        before = before if is_same else span.get("trace_id")
        yield place, {**span, "trace_id": before} if is_same else span


def _spans_as_written(path: Path, problems: Problems) -> Iterator[tuple[str, Mapping[str, object]]]:
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


def _span(span: Mapping[str, object], trace: str, span_id: str, services: Mapping[tuple[str, str], str]) -> Span:
    """Return the span. One that names no kind served a request if another service called it."""
    service, parent = services[trace, span_id], text(span, "parent_id", "parent_span_id", "parentSpanId")
    started = moment(span, "start", "start_time", "timestamp", "startTime")
    if started is None:
        raise FieldError("start", "is missing")
    is_entry = parent is None or services.get((trace, parent), service) != service
    kind = (text(span, "kind") or "").lower().removeprefix("span_kind_")
    version = text(span, "version")
    return span_of(
        _attributes(span),
        trace_id=trace,
        span_id=span_id,
        parent_span_id=parent[:LONGEST_NAME] if parent else None,
        name=text(span, "name") or "unnamed",
        is_server=is_entry if kind not in _KINDS else kind == _SERVER,
        service=service,
        version=version[:LONGEST_NAME] if version else None,
        started_at=started,
        duration_ms=max(number(span, "duration_ms", "durationMs", "duration") or 0.0, 0.0),
        is_error=(text(span, "status") or "").upper() in {"ERROR", "STATUS_CODE_ERROR", "2"},
    )


def _attributes(span: Mapping[str, object]) -> dict[str, JsonValue]:
    """Return the attributes of a span, and the fields beside that we do not know."""
    given = span.get("attributes")
    beside = {key: value for key, value in span.items() if key not in _SPAN_FIELDS}
    if not given and not beside:
        return {}
    return bounded_attributes({**(given if isinstance(given, dict) else {}), **beside})


def last_moment(*kinds: Iterable[LogRecord | MetricPoint]) -> float | None:
    """Return the time of the newest record; None without any."""
    return max((record.happened_at for kind in kinds for record in kind), default=None)
