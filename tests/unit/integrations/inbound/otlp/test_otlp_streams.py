"""What makes two data points different, and times in another unit or none."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detection.types import LogRecord, MetricPoint, Span
from integrations.inbound.otlp.doors import parse_logs, parse_metrics, parse_traces

NOW = 1_770_465_600.0
MOMENT = int(NOW) - 30
JSON: dict[str, Any] = {"content_type": "application/json", "content_encoding": "", "max_decoded_bytes": 1_000_000}
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "press"}}]}


def metric(name: str, kind: str, unit: str = "", time: int = MOMENT * 10**9, **data: Any) -> dict[str, Any]:
    value = {"count": "3", "sum": 9.0} if kind == "histogram" else {"asInt": "9"}
    return {"name": name, "unit": unit, kind: {"dataPoints": [{"timeUnixNano": str(time), **value}], **data}}


def points(*metrics: dict[str, Any], now: float = NOW) -> list[MetricPoint]:
    body = {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [{"scope": {}, "metrics": list(metrics)}]}]}
    parsed = parse_metrics(json.dumps(body).encode(), now=now, **JSON)
    assert parsed.rejections == []
    return parsed.records


COUNTER: dict[str, Any] = {"isMonotonic": True, "aggregationTemporality": 2}


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (metric("wait", "gauge", "ms"), metric("wait", "gauge", "s"), {"unit": "s"}),
        (metric("wait", "sum", "1", **COUNTER), metric("wait", "gauge", "1"), {"kind": "gauge"}),
        (
            metric("wait", "sum", **COUNTER),
            metric("wait", "sum", isMonotonic=True, aggregationTemporality=1),
            {"kind": "sum delta"},
        ),
        (
            metric("wait", "gauge", "s"),
            metric("wait", "sum", "By", **COUNTER),
            {"unit": "By", "kind": "sum cumulative"},
        ),
    ],
)
def test_one_name_in_two_units_or_kinds_is_two_series_and_the_second_says_so(
    first: dict[str, Any], second: dict[str, Any], told: dict[str, str]
) -> None:
    one, other = points(first, second)
    assert one.point_id != other.point_id
    assert (one.attributes, other.attributes) == ({}, told)
    assert [point.point_id for point in points(first, second, now=NOW + 9)] == [one.point_id, other.point_id]


def test_a_metric_in_two_parts_of_a_request_is_one_and_so_are_histograms_of_one_name() -> None:
    parts = points(metric("wait", "gauge", "ms"), metric("wait", "gauge", "ms", time=(MOMENT + 1) * 10**9))
    assert [point.attributes for point in parts] == [{}, {}]
    names = [point.name for point in points(metric("wait", "histogram", "ms", aggregationTemporality=2))]
    assert names == ["wait.count", "wait.sum"]


def test_a_point_without_a_time_was_measured_when_it_came_and_counts_each_time() -> None:
    (first,), (second,) = (points(metric("wait", "gauge", time=0), now=now) for now in (NOW, NOW + 15))
    assert (first.happened_at, second.happened_at) == (NOW, NOW + 15)
    assert first.point_id != second.point_id


UNITS = [1, 10**3, 10**6, 10**9]


@pytest.mark.parametrize("unit", UNITS)
def test_a_time_in_seconds_milliseconds_or_microseconds_is_the_same_moment(unit: int) -> None:
    (point,) = points(metric("wait", "gauge", time=MOMENT * unit))
    log = {"timeUnixNano": str(MOMENT * unit), "body": {"stringValue": "jammed"}}
    logs = {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"logRecords": [log]}]}]}
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "press", "kind": 2,
        "startTimeUnixNano": str(MOMENT * unit), "endTimeUnixNano": str((MOMENT + 2) * unit),
    }  # fmt: skip
    traces = {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [{"spans": [span]}]}]}
    (record,) = parse_logs(json.dumps(logs).encode(), now=NOW, **JSON).records
    (found,) = parse_traces(json.dumps(traces).encode(), now=NOW, **JSON).records
    assert isinstance(record, LogRecord)
    assert isinstance(found, Span)
    assert (point.happened_at, record.happened_at, found.started_at) == (MOMENT, MOMENT, MOMENT)
    assert found.duration_ms == 2000.0


@pytest.mark.parametrize("time", [17, 86_400 * 10**9, 10**25 // 10**6])
def test_what_is_a_plausible_time_in_no_unit_is_refused(time: int) -> None:
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": str(time)}]}]}]}
    assert len(parse_logs(json.dumps(body).encode(), now=NOW, **JSON).rejections) == 1
