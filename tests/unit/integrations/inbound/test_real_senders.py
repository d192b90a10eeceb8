"""The real client libraries post to a server on this machine, and our readers read what they sent."""

from __future__ import annotations

import json
import time

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind as OtelSpanKind
from posthog import Posthog

from detection.types import Event, SpanKind
from integrations.inbound.otlp.doors import parse_logs, parse_traces
from integrations.inbound.product.posthog import Capture, parse_capture
from integrations.inbound.reading.records import PayloadError
from tests.unit.integrations.loopback import Loopback

LIMIT = 1_000_000
SHOP = Resource.create({"service.name": "shop", "service.version": "v42"})


def captured(loopback: Loopback, *, compressed: bool) -> Capture:
    """Return the capture of what posthog-python sends for two events and one `set` call."""
    loopback.answer(200, b'{"status": 1}')
    client = Posthog("phc_key", host=loopback.url, gzip=compressed, flush_at=3, flush_interval=60, disable_geoip=True)
    client.capture("page_view", distinct_id="u1", properties={"page": "/signup"})
    client.set(distinct_id="u1", properties={"plan": "free"})
    client.capture("purchase", distinct_id="u2", uuid="0193c0de-0000-7000-8000-000000000001")
    client.shutdown()
    request = loopback.received[0]
    assert request.path == "/batch/"
    return parse_capture(
        request.body,
        content_encoding=request.headers.get("content-encoding", ""),
        now=time.time(),
        max_decoded_bytes=LIMIT,
    )


def events_of(capture: Capture) -> list[Event]:
    events = [record for record in capture.records.records if isinstance(record, Event)]
    assert len(events) == len(capture.records.records)
    return events


@pytest.mark.parametrize("compressed", [False, True])
def test_a_posthog_batch_is_read_with_its_key_its_ids_and_special_events(loopback: Loopback, compressed: bool) -> None:
    capture = captured(loopback, compressed=compressed)
    assert capture.api_key == "phc_key"
    assert capture.records.rejections == []
    view, person, purchase = events_of(capture)
    assert (view.event, view.user_id, view.properties["page"]) == ("page_view", "u1", "/signup")
    assert person.event == "$set"
    assert (purchase.event_id, purchase.user_id) == ("0193c0de-0000-7000-8000-000000000001", "u2")
    assert abs(view.happened_at - time.time()) < 60


def test_a_repeated_batch_has_the_same_ids(loopback: Loopback) -> None:
    captured(loopback, compressed=False)
    body = loopback.received[0].body

    def ids() -> list[str]:
        return [event.event_id for event in events_of(parse_capture(body, now=time.time(), max_decoded_bytes=LIMIT))]

    assert ids() == ids()


def test_a_single_capture_without_a_time_gets_the_current_time() -> None:
    body = {"api_key": "phc_key", "event": "page_view", "distinct_id": "u1", "properties": {"page": "/"}}
    capture = parse_capture(json.dumps(body).encode(), now=1_770_465_600.0, max_decoded_bytes=LIMIT)
    assert capture.api_key == "phc_key"
    assert capture.records.records[0].happened_at == 1_770_465_600.0


def test_an_invalid_event_in_a_batch_is_rejected_with_its_path() -> None:
    batch = [{"event": "a", "distinct_id": "u1"}, {"event": "b"}, {"event": 7, "distinct_id": "u1"}]
    capture = parse_capture(json.dumps({"batch": batch}).encode(), now=1_770_465_600.0, max_decoded_bytes=LIMIT)
    assert [event.event for event in events_of(capture)] == ["a"]
    assert [rejection.field for rejection in capture.records.rejections] == [
        "batch[1].properties.user_id",
        "batch[2].event",
    ]


@pytest.mark.parametrize("body", [b"", b"7", b"{", b'{"batch": {}}', b'{"api_key": 7}', b"data=eyJ9"])
def test_a_body_of_the_wrong_shape_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(PayloadError):
        parse_capture(body, now=1_770_465_600.0, max_decoded_bytes=LIMIT)


def test_the_spans_of_the_standard_exporter_become_requests_and_database_calls(loopback: Loopback) -> None:
    loopback.answer(200, ExportTraceServiceResponse().SerializeToString(), Content_Type="application/x-protobuf")
    loopback.answer(200, ExportTraceServiceResponse().SerializeToString(), Content_Type="application/x-protobuf")
    provider = TracerProvider(resource=SHOP)
    exporter = OTLPSpanExporter(f"{loopback.url}/v1/traces", headers={"Authorization": "Bearer argux_key"})
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("shop")
    with (
        tracer.start_as_current_span("POST /checkout", kind=OtelSpanKind.SERVER) as served,
        tracer.start_as_current_span("SELECT", kind=OtelSpanKind.CLIENT) as called,
    ):
        served.set_attributes({"http.request.method": "POST", "http.route": "/checkout"})
        served.set_attribute("http.response.status_code", 503)
        called.set_attribute("db.statement", "SELECT 1")
    provider.shutdown()
    spans = [
        span
        for request in loopback.received
        for span in parse_traces(
            request.body,
            content_encoding=request.headers.get("content-encoding", ""),
            now=time.time(),
            max_decoded_bytes=LIMIT,
        ).records
    ]
    database, request = spans
    assert (request.kind, request.endpoint, request.is_error) == (SpanKind.SERVER, "POST /checkout", True)
    assert (request.service, request.version) == ("shop", "v42")
    assert (database.kind, database.parent_span_id) == (SpanKind.DATABASE, request.span_id)
    assert database.trace_id == request.trace_id


def test_the_log_records_of_the_standard_exporter_keep_their_text(loopback: Loopback) -> None:
    loopback.answer(200, b"", Content_Type="application/x-protobuf")
    provider = LoggerProvider(resource=SHOP)
    provider.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(f"{loopback.url}/v1/logs")))

    provider.get_logger("shop").emit(
        LogRecord(timestamp=time.time_ns(), severity_number=SeverityNumber.ERROR, body="payment refused")
    )
    provider.shutdown()
    request = loopback.received[0]
    (record,) = parse_logs(
        request.body,
        content_encoding=request.headers.get("content-encoding", ""),
        now=time.time(),
        max_decoded_bytes=LIMIT,
    ).records
    assert (record.service, record.severity, record.body) == ("shop", "ERROR", "payment refused")
