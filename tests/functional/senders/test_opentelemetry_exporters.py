"""OpenTelemetry's Python exporters over HTTP and over gRPC, all three signals."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind

from tests.functional.web import Web

Exporters = tuple[Any, Any, Any]


def over_http(web: Web, key: str) -> Exporters:
    def made(exporter: Any, signal: str) -> Any:
        headers = {"Authorization": f"Bearer {key}"}
        return exporter(f"{web.url}/v1/{signal}", headers=headers, compression=Compression.Gzip, timeout=30)

    return made(HttpSpans, "traces"), made(HttpLogs, "logs"), made(HttpMetrics, "metrics")


def over_grpc(web: Web, key: str) -> Exporters:
    def made(exporter: Any) -> Any:
        address = f"127.0.0.1:{web.environment['OTLP_GRPC_PORT']}"
        return exporter(address, insecure=True, headers=(("authorization", f"Bearer {key}"),), timeout=30)

    return made(GrpcSpans), made(GrpcLogs), made(GrpcMetrics)


@pytest.mark.parametrize("open_door", [over_http, over_grpc])
def test_traces_logs_and_metrics_are_stored(web: Web, open_door: Callable[[Web, str], Exporters]) -> None:
    service = f"shop-{open_door.__name__}"
    since = time.time() - 1
    spans, logs, metrics = open_door(web, web.key)
    resource = Resource.create({"service.name": service, "service.version": "v9"})
    tracing = TracerProvider(resource=resource)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    with tracing.get_tracer("shop").start_as_current_span("POST /checkout", kind=SpanKind.SERVER) as span:
        span.set_attributes({"http.request.method": "POST", "http.route": "/checkout"})
    tracing.shutdown()
    logging = LoggerProvider(resource=resource)
    logging.add_log_record_processor(SimpleLogRecordProcessor(logs))
    logging.get_logger("shop").emit(
        LogRecord(timestamp=time.time_ns(), severity_number=SeverityNumber.WARN, body="stock is low")
    )
    logging.shutdown()
    metering = MeterProvider([PeriodicExportingMetricReader(metrics)], resource=resource)
    metering.get_meter("shop").create_up_down_counter("carts").add(2)
    metering.get_meter("shop").create_histogram("total").record(12.5)
    metering.shutdown()

    until = time.time() + 60
    assert web.spans(service, since=since) == [("POST /checkout", "v9", False)]
    [record] = web.store.log_samples(since=since, until=until, service=service)
    assert (record.severity, record.body) == ("WARN", "stock is low")
    [carts] = web.store.metric_samples(service, "carts", since=since, until=until)
    assert (carts.value, carts.kind) == (2.0, "gauge")
    [count] = web.store.metric_samples(service, "total.count", since=since, until=until)
    assert (count.value, count.kind) == (1.0, "cumulative")


@pytest.mark.parametrize("open_door", [over_http, over_grpc])
def test_a_wrong_key_is_refused_without_retries(web: Web, open_door: Callable[[Web, str], Exporters]) -> None:
    tracer = TracerProvider().get_tracer("shop")
    span = tracer.start_span("POST /checkout", kind=SpanKind.SERVER)
    span.end()
    exporter = open_door(web, "argux_wrong")[0]
    begun = time.monotonic()
    assert exporter.export([span]) is SpanExportResult.FAILURE
    # Retries would take most of the exporter's timeout of 30 s.
    assert time.monotonic() - begun < 10
    exporter.shutdown()
