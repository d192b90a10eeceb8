"""An invalid part of an OTLP request affects only that part, in JSON and in protobuf."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from integrations.inbound.otlp.doors import PROTOBUF, parse_logs, parse_metrics, parse_traces
from integrations.inbound.reading.records import Parsed, PayloadError

NOW = 1_770_465_600.0
TIME = str(int(NOW) * 10**9)
JSON = "application/json"
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
SPAN = {
    "traceId": "5b8efff798038103d269b633813fc60c",
    "spanId": "eee19b7ec3c1b174",
    "name": "good",
    "startTimeUnixNano": TIME,
    "endTimeUnixNano": TIME,
}
LOG = {"timeUnixNano": TIME, "body": {"stringValue": "good"}}
POINT = {"timeUnixNano": TIME, "asDouble": 1.5}
PARSERS: dict[str, Callable[..., Parsed[Any]]] = {"Spans": parse_traces, "Logs": parse_logs, "Metrics": parse_metrics}
RECORDS = {"Spans": "spans", "Logs": "logRecords", "Metrics": "metrics"}
GOOD: dict[str, Any] = {"Spans": SPAN, "Logs": LOG, "Metrics": {"name": "cpu", "gauge": {"dataPoints": [POINT]}}}


def read(kind: str, body: bytes, content_type: str = JSON) -> Parsed[Any]:
    return PARSERS[kind](body, content_type=content_type, now=NOW, max_decoded_bytes=1_000_000)


def resource(kind: str, *records: Any) -> dict[str, Any]:
    return {"resource": RESOURCE, f"scope{kind}": [{RECORDS[kind]: list(records)}]}


def request(kind: str, *resources: Any) -> dict[str, Any]:
    return {f"resource{kind}": list(resources)}


def refusals(kind: str, body: dict[str, Any]) -> tuple[int, list[tuple[str, str]]]:
    parsed = read(kind, json.dumps(body).encode())
    return len(parsed.records), [(rejection.field, rejection.message) for rejection in parsed.rejections]


@pytest.mark.parametrize("kind", PARSERS)
@pytest.mark.parametrize("bad", [5, "x", None, [1]])
def test_an_element_that_is_not_an_object_is_rejected_with_its_path_and_the_others_are_kept(
    kind: str, bad: Any
) -> None:
    good = GOOD[kind]
    first = f"resource{kind}[0]"
    among_records = request(kind, resource(kind, bad, good))
    among_scopes = request(kind, {"resource": RESOURCE, f"scope{kind}": [{RECORDS[kind]: [good]}, bad]})
    among_resources = request(kind, bad, resource(kind, good))
    told = "must be an object"
    assert refusals(kind, among_records) == (1, [(f"{first}.scope{kind}[0].{RECORDS[kind]}[0]", told)])
    assert refusals(kind, among_scopes) == (1, [(f"{first}.scope{kind}[1]", told)])
    assert refusals(kind, among_resources) == (1, [(first, told)])


@pytest.mark.parametrize("kind", PARSERS)
def test_a_field_that_must_be_a_list_is_rejected_with_its_path_and_the_others_are_kept(kind: str) -> None:
    good = resource(kind, GOOD[kind])
    first, told = f"resource{kind}[0]", "must be an array of objects"
    assert refusals(kind, request(kind, {f"scope{kind}": 1}, good)) == (1, [(f"{first}.scope{kind}", told)])
    records = {f"scope{kind}": [{RECORDS[kind]: "x"}]}
    assert refusals(kind, request(kind, records, good)) == (1, [(f"{first}.scope{kind}[0].{RECORDS[kind]}", told)])
    with pytest.raises(PayloadError, match=rf"resource{kind}: must be an array"):
        refusals(kind, {f"resource{kind}": 7})


@pytest.mark.parametrize("data", ["gauge", "sum", "histogram", "exponentialHistogram", "summary"])
def test_each_data_point_is_refused_separately(data: str) -> None:
    good = {"timeUnixNano": TIME, "count": "3", "sum": 4.0} if data not in ("gauge", "sum") else POINT
    bad = ["x", 1.5, {"timeUnixNano": {}}, None]
    metric = {"name": "cpu", data: {"dataPoints": [*bad, good, good | {"timeUnixNano": "7"}]}}
    parsed = read("Metrics", json.dumps(request("Metrics", resource("Metrics", metric))).encode())
    place = f"resourceMetrics[0].scopeMetrics[0].metrics[0].{data}.dataPoints"
    assert {record.happened_at for record in parsed.records} == {NOW}
    assert [rejection.field for rejection in parsed.rejections] == [
        *(f"{place}[{number}]" for number in range(4)),
        f"{place}[5].timeUnixNano",
    ]


def test_an_unreadable_metric_counts_one_rejection_per_data_point() -> None:
    points = {"dataPoints": [POINT, POINT, POINT]}
    for bad in ({"name": 5, "gauge": points}, {"gauge": points}, {"name": "cpu", "sum": points | {"isMonotonic": 7}}):
        taken, refused = refusals("Metrics", request("Metrics", resource("Metrics", bad, GOOD["Metrics"])))
        assert (taken, len(refused)) == (1, 3)
    nobody = resource("Metrics", {"name": "cpu", "gauge": points}) | {"resource": 5}
    taken, refused = refusals("Metrics", request("Metrics", nobody))
    assert (taken, len(refused)) == (0, 3)


def test_exemplars_are_ignored() -> None:
    metric = {"name": "cpu", "gauge": {"dataPoints": [POINT | {"exemplars": [5]}]}}
    assert refusals("Metrics", request("Metrics", resource("Metrics", metric))) == (1, [])


@pytest.mark.parametrize(
    "changes",
    [
        {"attributes": [5]},
        {"attributes": [[5]]},
        {"name": {}},
        {"status": 5},
        {"status": [["code"]]},
        {"name": 10**400},
    ],
)
def test_no_rejection_message_mentions_python_types(changes: dict[str, Any]) -> None:
    taken, [(_, message)] = refusals("Spans", request("Spans", resource("Spans", SPAN | changes, SPAN)))
    assert taken == 1
    assert not any(word in message for word in ("object is not", "bad argument", "unhashable", "bytes-like", "indices"))


@pytest.mark.parametrize("bare", ["NaN", "-Infinity", "1e999"])
def test_a_bare_nan_or_infinity_affects_only_its_own_point(bare: str) -> None:
    body = json.dumps(request("Metrics", resource("Metrics", GOOD["Metrics"], GOOD["Metrics"])))
    parsed = read("Metrics", body.replace("1.5", bare, 1).encode())
    assert [record.value for record in parsed.records] == [1.5]
    [rejection] = parsed.rejections
    assert rejection.field.endswith("metrics[0].gauge.dataPoints[0]")
    assert "use quoted" in rejection.message


def test_a_quoted_nan_attribute_is_accepted_as_null() -> None:
    attribute = {"key": "ratio", "value": {"doubleValue": "NaN"}}
    parsed = read("Logs", json.dumps(request("Logs", resource("Logs", LOG | {"attributes": [attribute]}))).encode())
    assert [record.attributes for record in parsed.records] == [{"ratio": None}]


def test_json_with_invalid_utf_8_is_read_with_replacement_characters() -> None:
    body = json.dumps(request("Logs", resource("Logs", LOG, LOG))).encode().replace(b"good", b"caf\xe9", 1)
    assert [record.body for record in read("Logs", body).records] == ["caf\ufffd", "good"]


MESSAGES: dict[str, Callable[[], Message]] = {
    "Spans": ExportTraceServiceRequest,
    "Logs": ExportLogsServiceRequest,
    "Metrics": ExportMetricsServiceRequest,
}


def on_the_wire(kind: str, *records: Any) -> bytes:
    message = ParseDict(request(kind, resource(kind, *records), resource(kind, *records)), MESSAGES[kind]())
    return message.SerializeToString()


def latin(kind: str) -> Any:
    """Return a record with the text "cafe" in every place where a text can be."""
    nested = {
        "arrayValue": {"values": [{"kvlistValue": {"values": [{"key": "cafe", "value": {"stringValue": "cafe"}}]}}]}
    }
    attributes = [{"key": "cafe", "value": nested}]
    if kind == "Spans":
        return SPAN | {
            "traceId": "AQEBAQEBAQEBAQEBAQEBAQ==",
            "spanId": "AQEBAQEBAQE=",
            "name": "cafe",
            "attributes": attributes,
        }
    if kind == "Logs":
        return LOG | {"body": {"stringValue": "cafe"}, "attributes": attributes}
    return {"name": "cafe", "unit": "cafe", "gauge": {"dataPoints": [POINT | {"attributes": attributes}]}}


@pytest.mark.parametrize("kind", PARSERS)
def test_protobuf_with_invalid_utf_8_is_read_with_replacement_characters(kind: str) -> None:
    good = latin(kind)
    body = on_the_wire(kind, good, good)
    broken = body.replace(b"cafe", b"caf\xe9")
    with pytest.raises(DecodeError):
        MESSAGES[kind]().ParseFromString(broken)
    expected, found = read(kind, body, PROTOBUF), read(kind, broken, PROTOBUF)
    assert found.rejections == expected.rejections
    assert len(found.records) == 4
    assert "caf\ufffd" in repr(found.records)
    assert [record.service for record in found.records] == ["shop"] * 4


def test_a_service_name_with_invalid_utf_8_is_read_with_a_replacement_character() -> None:
    body = on_the_wire("Logs", LOG).replace(b"shop", b"sh\xffp")
    assert {record.service for record in read("Logs", body, PROTOBUF).records} == {"sh\ufffdp"}


def test_a_span_with_broken_bytes_is_refused_alone() -> None:
    name = b"\x2a\x08abcdefgh"
    body = on_the_wire("Spans", latin("Spans") | {"name": "abcdefgh"})
    assert body.count(name) == 2
    parsed = read("Spans", body.replace(name, b"\x2a\x7fabcdefgh", 1), PROTOBUF)
    assert [record.name for record in parsed.records] == ["abcdefgh"]
    [rejection] = parsed.rejections
    assert (rejection.field, rejection.message) == (
        "resourceSpans[0].scopeSpans[0].spans[0]",
        "is not a protobuf Span",
    )


@pytest.mark.parametrize("body", [b"\xff\xff\xff", b"hello", b"\x0a\x05hello", b"\x0a\x02\x12\x7f", b"\x00\x00"])
@pytest.mark.parametrize("kind", PARSERS)
def test_completely_unreadable_bytes_are_refused_as_a_whole(kind: str, body: bytes) -> None:
    with pytest.raises(PayloadError, match="not a protobuf Export"):
        read(kind, body, PROTOBUF)
