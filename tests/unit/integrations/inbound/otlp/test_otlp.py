from __future__ import annotations

import gzip
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as OtlpLogRecord
from opentelemetry.proto.logs.v1.logs_pb2 import ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from detection.types import LogRecord, Span, SpanKind
from integrations.inbound.otlp.doors import logs_response, parse_logs, parse_traces, traces_response
from integrations.inbound.reading.records import Parsed, PayloadError, PayloadTooLargeError

NOW = 1_770_465_600.0  # 2026-02-07T12:00:00Z
NANOSECONDS = int(NOW * 1e9)
LIMIT = 1_000_000


def value(given: Any) -> AnyValue:
    if isinstance(given, bool):
        return AnyValue(bool_value=given)
    if isinstance(given, int):
        return AnyValue(int_value=given)
    if isinstance(given, float):
        return AnyValue(double_value=given)
    if isinstance(given, list):
        return AnyValue(array_value=ArrayValue(values=[value(item) for item in given]))
    if isinstance(given, dict):
        return AnyValue(kvlist_value=KeyValueList(values=pairs(given)))
    return AnyValue(string_value=given)


def pairs(given: dict[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=name, value=value(item)) for name, item in given.items()]


SHOP = Resource(attributes=pairs({"service.name": "shop", "service.version": "v42"}))


def span(attributes: dict[str, Any] | None = None, **changes: Any) -> OtlpSpan:
    given: dict[str, Any] = {
        "trace_id": b"\x01" * 16,
        "span_id": b"\x02" * 8,
        "name": "POST /checkout",
        "kind": OtlpSpan.SPAN_KIND_SERVER,
        "start_time_unix_nano": NANOSECONDS,
        "end_time_unix_nano": NANOSECONDS + 250_000_000,
        "attributes": pairs(attributes or {}),
    }
    return OtlpSpan(**{**given, **changes})


def parsed(*spans: OtlpSpan, resource: Resource = SHOP) -> Parsed[Span]:
    request = ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(resource=resource, scope_spans=[ScopeSpans(spans=spans)])]
    )
    return parse_traces(request.SerializeToString(), now=NOW, max_decoded_bytes=LIMIT)


def parsed_logs(*records: OtlpLogRecord) -> Parsed[LogRecord]:
    request = ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(resource=SHOP, scope_logs=[ScopeLogs(log_records=records)])]
    )
    return parse_logs(request.SerializeToString(), now=NOW, max_decoded_bytes=LIMIT)


@pytest.mark.parametrize(
    "attributes",
    [
        {"http.request.method": "POST", "http.route": "/checkout", "http.response.status_code": 201},
        {"http.method": "POST", "http.route": "/checkout", "http.status_code": "201"},
    ],
)
def test_a_server_span_becomes_a_request_under_old_and_new_conventions(attributes: dict[str, Any]) -> None:
    (found,) = parsed(span(attributes, name="other")).records
    assert found == Span(
        trace_id="01" * 16,
        span_id="02" * 8,
        parent_span_id=None,
        kind=SpanKind.SERVER,
        name="other",
        service="shop",
        version="v42",
        started_at=NOW,
        duration_ms=250.0,
        is_error=False,
        endpoint="POST /checkout",
        status_code=201,
    )


@pytest.mark.parametrize("name", ["db.query.text", "db.statement"])
def test_a_span_with_a_statement_is_a_database_call(name: str) -> None:
    call = span({name: "SELECT 1"}, kind=OtlpSpan.SPAN_KIND_CLIENT, parent_span_id=b"\x03" * 8)
    (found,) = parsed(call).records
    assert (found.kind, found.statement, found.endpoint) == (SpanKind.DATABASE, "SELECT 1", None)
    assert found.parent_span_id == "03" * 8


def test_a_client_span_without_a_statement_has_the_kind_other() -> None:
    assert parsed(span(kind=OtlpSpan.SPAN_KIND_CLIENT)).records[0].kind is SpanKind.OTHER


@pytest.mark.parametrize(
    ("attributes", "status", "is_error"),
    [
        ({"http.response.status_code": 500}, Status.STATUS_CODE_UNSET, True),
        ({"http.response.status_code": 404}, Status.STATUS_CODE_UNSET, False),
        ({}, Status.STATUS_CODE_ERROR, True),
        ({}, Status.STATUS_CODE_OK, False),
    ],
)
def test_a_5xx_or_an_error_status_makes_a_span_an_error(
    attributes: dict[str, Any], status: Any, is_error: bool
) -> None:
    assert parsed(span(attributes, status=Status(code=status))).records[0].is_error is is_error


@pytest.mark.parametrize(
    ("name", "attributes", "endpoint"),
    [
        ("GET", {"http.method": "GET", "url.path": "/orders/17"}, "GET /orders/{id}"),
        ("HTTP GET", {"http.request.method": "GET", "http.target": "/orders/17?a=1"}, "GET /orders/{id}"),
        ("http.server", {"http.method": "PUT", "http.url": "https://shop.example/orders/17"}, "PUT /orders/{id}"),
        ("GET /orders/17", {"http.method": "GET"}, "GET /orders/{id}"),
        ("OrdersController#show", {"http.method": "GET", "url.path": "/orders/17"}, "OrdersController#show"),
        ("orders.17 process", {"messaging.system": "kafka"}, "orders.{id} process"),
        ("shop.v1.Orders/Get", {"rpc.system": "grpc"}, "shop.v1.Orders/Get"),
        ("GET", {"http.method": "GET", "url.path": "/wp-login.php", "http.response.status_code": 404}, "GET"),
        ("GET", {"http.method": "GET"}, "GET"),
    ],
)
def test_a_request_without_a_route_is_named_by_its_span_or_its_path_without_ids(
    name: str, attributes: dict[str, Any], endpoint: str
) -> None:
    (found,) = parsed(span(attributes, name=name)).records
    assert found.endpoint == endpoint


def test_a_route_is_taken_as_it_is_given() -> None:
    attributes = {"http.method": "GET", "http.route": "/reports/2024", "url.path": "/reports/2024"}
    assert parsed(span(attributes, name="GET /x/17")).records[0].endpoint == "GET /reports/2024"


def test_a_service_without_a_name_is_called_unknown() -> None:
    (found,) = parsed(span(), resource=Resource()).records
    assert (found.service, found.version) == ("unknown_service", None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"trace_id": b"\x01" * 15}, "traceId"),
        ({"trace_id": b"\x00" * 16}, "traceId"),
        ({"span_id": b""}, "spanId"),
        ({"parent_span_id": b"\x01\x02"}, "parentSpanId"),
        ({"start_time_unix_nano": 0}, "startTimeUnixNano"),
        ({"start_time_unix_nano": 1_000}, "startTimeUnixNano"),
        ({"end_time_unix_nano": NANOSECONDS - 1}, "endTimeUnixNano"),
        ({"end_time_unix_nano": 2**64 - 1}, "endTimeUnixNano"),
        ({"start_time_unix_nano": 2**64 - 2, "end_time_unix_nano": 2**64 - 1}, "startTimeUnixNano"),
    ],
)
def test_a_span_with_invalid_ids_or_times_is_refused_and_the_others_are_kept(
    changes: dict[str, Any], field: str
) -> None:
    result = parsed(span(), span(**changes), span())
    assert len(result.records) == 2
    (rejection,) = result.rejections
    assert (rejection.index, rejection.field) == (1, f"resourceSpans[0].scopeSpans[0].spans[1].{field}")


def test_the_response_reports_how_many_were_refused_and_why() -> None:
    rejections = parsed(span(span_id=b""), span(span_id=b"")).rejections
    answer = ExportTraceServiceResponse.FromString(traces_response(rejections))
    assert answer.partial_success.rejected_spans == 2
    assert answer.partial_success.error_message.endswith("spanId: must have 8 bytes, not 0 (and 1 more)")
    assert ExportLogsServiceResponse.FromString(logs_response(rejections)).partial_success.rejected_log_records == 2


def test_the_response_to_a_fully_accepted_batch_is_empty() -> None:
    assert traces_response([]) == b""
    assert logs_response([]) == b""


def test_bytes_that_are_not_protobuf_are_refused_as_a_whole() -> None:
    for parse in (parse_traces, parse_logs):
        with pytest.raises(PayloadError, match="not a protobuf"):
            parse(b'{"resourceSpans": []}', now=NOW, max_decoded_bytes=LIMIT)


def test_a_decompression_bomb_is_stopped_at_the_limit() -> None:
    with pytest.raises(PayloadTooLargeError):
        parse_traces(gzip.compress(b"\0" * 20_000_000), content_encoding="gzip", now=NOW, max_decoded_bytes=LIMIT)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_raise_payload_error(body: bytes) -> None:
    for parse in (parse_traces, parse_logs):
        try:
            result = parse(body, now=NOW, max_decoded_bytes=LIMIT)
        except PayloadError:
            continue
        assert isinstance(result, Parsed)


def line(**changes: Any) -> OtlpLogRecord:
    given: dict[str, Any] = {
        "time_unix_nano": NANOSECONDS,
        "severity_number": 17,
        "severity_text": "ERROR",
        "body": value("payment refused"),
        "trace_id": b"\x01" * 16,
        "attributes": pairs({"code": 7, "tags": ["a", {"b": 1.5}], "nan": float("nan"), "nul": "a\x00b"}),
    }
    return OtlpLogRecord(**{**given, **changes})


def test_a_log_record_keeps_its_body_its_sender_and_its_trace_id() -> None:
    (found,) = parsed_logs(line()).records
    assert (found.service, found.version, found.happened_at) == ("shop", "v42", NOW)
    assert (found.severity, found.body, found.trace_id) == ("ERROR", "payment refused", "01" * 16)
    assert found.attributes == {"code": 7, "tags": ["a", {"b": 1.5}], "nan": None, "nul": "a\ufffdb"}


@pytest.mark.parametrize(
    ("number", "written", "severity"),
    [(1, "", "TRACE"), (9, "Information", "INFO"), (24, "", "FATAL"), (0, "notice", "INFO"), (0, "", "INFO")],
)
def test_the_severity_number_takes_precedence_over_the_severity_text(number: int, written: str, severity: str) -> None:
    assert parsed_logs(line(severity_number=number, severity_text=written)).records[0].severity == severity


def test_a_body_that_is_not_text_is_stored_as_json() -> None:
    assert parsed_logs(line(body=value({"a": [1, True]}))).records[0].body == '{"a":[1,true]}'


def test_equal_lines_of_one_batch_get_different_ids_and_a_resent_batch_gets_the_same_ids() -> None:
    first = [record.record_id for record in parsed_logs(line(), line(), line(body=value("other"))).records]
    again = [record.record_id for record in parsed_logs(line(), line(), line(body=value("other"))).records]
    assert len(set(first)) == 3
    assert first == again


def test_a_line_without_a_time_gets_the_current_time_and_one_from_the_far_future_is_refused() -> None:
    result = parsed_logs(line(time_unix_nano=0), line(time_unix_nano=2**63))
    assert result.records[0].happened_at == NOW
    assert result.rejections[0].field == "resourceLogs[0].scopeLogs[0].logRecords[1].timeUnixNano"
