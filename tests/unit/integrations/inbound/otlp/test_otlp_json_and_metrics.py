"""OTLP as JSON, and metrics in either encoding."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    ExponentialHistogram,
    ExponentialHistogramDataPoint,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from detection.types import LogRecord, MetricKind, MetricPoint, Span
from integrations.inbound.otlp.doors import metrics_response, parse_logs, parse_metrics, parse_traces
from integrations.inbound.reading.records import Parsed, PayloadError

NOW = 1_770_465_600.0
NANOSECONDS = int(NOW) * 10**9
LIMIT = 1_000_000
JSON = "application/json"
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


def span(**changes: Any) -> dict[str, Any]:
    return {
        "traceId": "5B8EFFF798038103D269B633813FC60C",
        "spanId": "eee19b7ec3c1b174",
        "name": "POST /checkout",
        "kind": 2,
        "startTimeUnixNano": str(NANOSECONDS),
        "endTimeUnixNano": str(NANOSECONDS + 250_000_000),
        "attributes": [{"key": "http.response.status_code", "value": {"intValue": "503"}}],
        "links": [{"traceId": "not hex at all"}],
        "somethingNew": {"of": "tomorrow"},
        **changes,
    }


def spans(*found: Any, resource: Any = RESOURCE) -> Parsed[Span]:
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": list(found)}]}]}
    return parse_traces(json.dumps(body).encode(), content_type=JSON, now=NOW, max_decoded_bytes=LIMIT)


def logs(*found: Any) -> Parsed[LogRecord]:
    body = {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"logRecords": list(found)}]}]}
    return parse_logs(json.dumps(body).encode(), content_type=JSON, now=NOW, max_decoded_bytes=LIMIT)


def request(*found: Metric) -> ExportMetricsServiceRequest:
    resource = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value="shop"))])
    scope = ScopeMetrics(metrics=found)
    return ExportMetricsServiceRequest(resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=[scope])])


def metrics(*found: Metric) -> Parsed[MetricPoint]:
    return parse_metrics(request(*found).SerializeToString(), now=NOW, max_decoded_bytes=LIMIT)


def point(value: float, **changes: Any) -> NumberDataPoint:
    return NumberDataPoint(**{"time_unix_nano": NANOSECONDS, "as_double": value, **changes})


def values(parsed: Parsed[MetricPoint]) -> dict[str, tuple[float, str]]:
    assert parsed.rejections == []
    return {found.name: (found.value, found.kind.value) for found in parsed.records}


def test_json_ids_are_hex_in_upper_or_lower_case_and_long_numbers_are_text() -> None:
    [found] = spans(span()).records
    assert (found.trace_id, found.span_id) == ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")
    assert (found.service, found.started_at, found.duration_ms, found.status_code) == ("shop", NOW, 250.0, 503)


def test_json_may_use_plain_numbers_and_protobufs_field_names() -> None:
    given = {"time_unix_nano": NANOSECONDS, "severity_number": 17, "body": {"string_value": "refused"}}
    [record] = logs(given).records
    assert (record.happened_at, record.severity, record.body) == (NOW, "ERROR", "refused")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"traceId": "xyz"}, ".traceId"),
        ({"traceId": "5b8e"}, ".traceId"),
        ({"spanId": 7}, ".spanId"),
        ({"startTimeUnixNano": "soon"}, ""),
        ({"startTimeUnixNano": "-1"}, ""),
        ({"startTimeUnixNano": "99999999999999999999999"}, ""),
        ({"startTimeUnixNano": "0"}, ".startTimeUnixNano"),
        ({"attributes": [7]}, ""),
        ({"name": {}}, ""),
    ],
)
def test_an_invalid_span_is_rejected_with_its_path_and_the_others_are_kept(changes: dict[str, Any], field: str) -> None:
    result = spans(span(), span(**changes), span())
    assert len(result.records) == 2
    [rejection] = result.rejections
    assert (rejection.index, rejection.field) == (1, f"resourceSpans[0].scopeSpans[0].spans[1]{field}")
    assert rejection.message


def test_spans_of_an_unreadable_resource_are_rejected() -> None:
    [rejection] = spans(span(), resource={"attributes": 7}).rejections
    assert rejection.field == "resourceSpans[0].scopeSpans[0].spans[0].resource"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"7",
        b"[]",
        b"{",
        b'{"resourceSpans": {}}',
        b'{"a": ' + b"[" * 20_000,
    ],
)
def test_json_that_is_not_a_request_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(PayloadError):
        parse_traces(body, content_type=JSON, now=NOW, max_decoded_bytes=LIMIT)


def test_an_attribute_nested_too_deeply_affects_only_its_record() -> None:
    deep: dict[str, Any] = {"stringValue": "x"}
    for _ in range(150):
        deep = {"arrayValue": {"values": [deep]}}
    result = logs({"body": deep}, {"body": {"stringValue": "fine"}})
    assert [record.body for record in result.records] == ["fine"]
    assert len(result.rejections) == 1


def test_gauges_and_sums_become_one_point_each_with_the_right_kind() -> None:
    found = metrics(
        Metric(name="cpu", gauge=Gauge(data_points=[point(0.5)])),
        Metric(name="orders", sum=Sum(data_points=[point(3)], is_monotonic=True, aggregation_temporality=CUMULATIVE)),
        Metric(name="retries", sum=Sum(data_points=[point(2)], is_monotonic=True, aggregation_temporality=DELTA)),
        Metric(name="carts", sum=Sum(data_points=[point(7)], aggregation_temporality=CUMULATIVE)),
        Metric(name="whole", gauge=Gauge(data_points=[NumberDataPoint(time_unix_nano=NANOSECONDS, as_int=-4)])),
    )
    assert values(found) == {
        "cpu": (0.5, "gauge"),
        "orders": (3.0, "cumulative"),
        "retries": (2.0, "delta"),
        "carts": (7.0, "gauge"),
        "whole": (-4.0, "gauge"),
    }


def test_histograms_and_summaries_become_several_points() -> None:
    plain = HistogramDataPoint(time_unix_nano=NANOSECONDS, count=4, sum=10.0, max=5.0)
    exponential = ExponentialHistogramDataPoint(time_unix_nano=NANOSECONDS, count=2, sum=3.0)
    summary = SummaryDataPoint(time_unix_nano=NANOSECONDS, count=9, sum=90.0)
    summary.quantile_values.add(quantile=0.99, value=20.0)
    summary.quantile_values.add(quantile=0.5, value=math.nan)
    found = metrics(
        Metric(name="h", histogram=Histogram(data_points=[plain], aggregation_temporality=DELTA)),
        Metric(name="e", exponential_histogram=ExponentialHistogram(data_points=[exponential])),
        Metric(name="s", summary=Summary(data_points=[summary])),
    )
    assert values(found) == {
        "h.count": (4.0, "delta"),
        "h.sum": (10.0, "delta"),
        "h.max": (5.0, "gauge"),
        "e.count": (2.0, "cumulative"),
        "e.sum": (3.0, "cumulative"),
        "s.count": (9.0, "cumulative"),
        "s.sum": (90.0, "cumulative"),
        "s.p99": (20.0, "gauge"),
    }


def test_a_point_without_a_value_a_plausible_time_or_a_finite_number_is_refused_and_the_others_are_kept() -> None:
    nothing = NumberDataPoint(time_unix_nano=NANOSECONDS)
    timeless = NumberDataPoint(time_unix_nano=7, as_double=1.0)
    absent = NumberDataPoint(time_unix_nano=NANOSECONDS, flags=1)
    gauge = Gauge(data_points=[point(1.0), nothing, timeless, point(math.nan), absent])
    result = metrics(Metric(name="cpu", gauge=gauge), Metric(gauge=gauge), Metric(name="empty"))
    assert [found.value for found in result.records] == [1.0]
    place = "resourceMetrics[0].scopeMetrics[0].metrics"
    assert [rejection.field for rejection in result.rejections] == [
        f"{place}[0].gauge.dataPoints[1].value",
        f"{place}[0].gauge.dataPoints[2].timeUnixNano",
        f"{place}[0].gauge.dataPoints[3].value",
        *5 * [f"{place}[1].name"],
        f"{place}[2]",
    ]
    answer = ExportMetricsServiceResponse.FromString(metrics_response(result.rejections))
    assert answer.partial_success.rejected_data_points == 9


def test_a_repeated_point_has_the_same_id_and_other_attributes_give_another_id() -> None:
    tagged = [KeyValue(key="pod", value=AnyValue(string_value="a"))]
    gauge = Gauge(data_points=[point(1.0), point(1.0, attributes=tagged)])
    first = [found.point_id for found in metrics(Metric(name="cpu", gauge=gauge)).records]
    again = [found.point_id for found in metrics(Metric(name="cpu", gauge=gauge)).records]
    assert first == again
    assert len(set(first)) == 2


def test_metrics_as_json_equal_metrics_as_protobuf_and_the_response_is_json() -> None:
    message = request(Metric(name="cpu", gauge=Gauge(data_points=[point(0.5)])))
    body = json.dumps(MessageToDict(message)).encode()
    found = parse_metrics(body, content_type=JSON, now=NOW, max_decoded_bytes=LIMIT)
    assert found == parse_metrics(message.SerializeToString(), now=NOW, max_decoded_bytes=LIMIT)
    assert found.records[0].kind is MetricKind.GAUGE
    assert json.loads(metrics_response([], JSON)) == {}
