"""The telemetry of an export: log lines, the courses of metrics, spans, and log forms with their counts."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence

from bot.exporting.incident import moment
from detection.types import JsonValue, LogRecord, Span, SpanKind
from storage.telemetry.rows.keys import logs_without_keys, spans_without_keys
from storage.telemetry.rows.people_named import NAMES_OF_PEOPLE
from workers.diagnosis.scene.model import Course, Scene

_OWN_COLUMNS = ("timestamp", "service", "metric", "value")
_OWN_FIELDS = frozenset(
    (
        "@timestamp",
        "timestamp",
        "service",
        "service.name",
        "service.version",
        "log.level",
        "level",
        "message",
        "trace.id",
    )
)
_LABEL = re.compile(r"(?:^|, )(?P<name>[^=,]+)=")
_ENDPOINT = "endpoint"
_ROUTE = re.compile(r"(?P<method>[A-Z]{3,8}) (?P<route>/\S*)")


def logs_ndjson(lines: Sequence[LogRecord]) -> str:
    """Return one JSON object a line, in the names of Elastic Common Schema; who a line names is left out."""
    return "".join(json.dumps(_line(line), ensure_ascii=False) + "\n" for line in logs_without_keys(lines))


def _line(line: LogRecord) -> dict[str, object]:
    own = {
        "@timestamp": moment(line.happened_at),
        "service.name": line.service,
        "service.version": line.version,
        "log.level": line.severity,
        "message": line.body,
        "trace.id": line.trace_id,
    }
    return {name: value for name, value in own.items() if value is not None} | _beside(line.attributes)


def _beside(attributes: Mapping[str, JsonValue]) -> dict[str, object]:
    taken = _OWN_FIELDS | NAMES_OF_PEOPLE
    return {name: value for name, value in attributes.items() if name not in taken and not isinstance(value, dict)}


def metrics_csv(courses: Sequence[Course]) -> str:
    """Return every value of every course as a row; what tells series of one name apart stands in columns of its own."""
    labelled = [(course, labels_of(course.labels)) for course in courses]
    further = sorted({name for _, labels in labelled for name in labels})
    text = io.StringIO()
    rows = csv.DictWriter(text, [*_OWN_COLUMNS, *further], restval="", lineterminator="\n")
    rows.writeheader()
    for course, labels in labelled:
        for at, value in zip(course.times.tolist(), course.values.tolist(), strict=True):
            own = {"timestamp": moment(at), "service": course.part, "metric": course.name, "value": repr(value)}
            rows.writerow({**labels, **own})
    return text.getvalue()


def labels_of(labels: str) -> dict[str, str]:
    """Return the labels of a series by name: "device=sda1, state=used" are two, "POST /cart" is the endpoint."""
    places = list(_LABEL.finditer(labels))
    if not places or places[0].start():
        return {_ENDPOINT: labels} if labels else {}
    ends = [*(place.start() for place in places[1:]), len(labels)]
    named = {place["name"].strip(): labels[place.end() : end] for place, end in zip(places, ends, strict=True)}
    return {f"{name}_" if name in _OWN_COLUMNS else name: value.replace("\n", " ") for name, value in named.items()}


def traces_json(traces: Sequence[Sequence[Span]]) -> dict[str, object]:
    """Return the traces with their spans; the kind, the version and what was served or asked are kept."""
    return {
        "traces": [
            {"trace_id": spans[0].trace_id, "spans": [_span(span) for span in spans_without_keys(spans)]}
            for spans in traces
            if spans
        ]
    }


def _span(span: Span) -> dict[str, object]:
    told: dict[str, object] = {
        "span_id": span.span_id,
        "parent_id": span.parent_span_id,
        "service": span.service,
        "version": span.version,
        "name": span.endpoint or span.name,
        "kind": "server" if span.kind is SpanKind.SERVER else "client" if span.statement else "internal",
        "start": moment(span.started_at),
        "duration_ms": span.duration_ms,
        "status": "ERROR" if span.is_error else "OK",
        "attributes": _attributes(span),
    }
    return {name: value for name, value in told.items() if value is not None}


def _attributes(span: Span) -> dict[str, object]:
    route = _ROUTE.fullmatch(span.endpoint or "")
    told: dict[str, object | None] = {
        "http.request.method": route["method"] if route else None,
        "http.route": route["route"] if route else None,
        "http.response.status_code": span.status_code,
        "db.query.text": span.statement,
    }
    return {name: value for name, value in told.items() if value is not None}


def patterns_json(scene: Scene) -> dict[str, object]:
    """Return the forms of the log lines with how often each came, how often it usually comes, and since when."""
    return {
        "patterns": [
            {
                "signature": group.text,
                "service": group.part,
                "count": group.count,
                **({"usual_count": round(group.usual_count, 1)} if group.usual_count is not None else {}),
                **({"first_seen": moment(group.first_seen)} if group.first_seen is not None else {}),
                **({"sentiment": "negative" if group.is_bad else "neutral"} if group.is_bad is not None else {}),
            }
            for group in scene.lines
            if group.text.strip()
        ]
    }
