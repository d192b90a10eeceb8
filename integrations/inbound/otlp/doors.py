"""Read requests and write responses of OpenTelemetry's doors /v1/traces, /v1/logs and /v1/metrics.

They accept OTLP as protobuf or JSON, over HTTP or gRPC. The protocol: https://opentelemetry.io/docs/specs/otlp/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as OtlpLogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric as OtlpMetric
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan

from detection.types import LogRecord, MetricPoint, Span
from integrations.inbound.otlp.logs import read_logs
from integrations.inbound.otlp.metrics import KINDS, read_metrics
from integrations.inbound.otlp.parts import Signal
from integrations.inbound.otlp.requests import JSON, records
from integrations.inbound.otlp.spans import read_spans
from integrations.inbound.reading.body import decoded
from integrations.inbound.reading.records import Parsed, Rejection

PROTOBUF = "application/x-protobuf"

_TRACES = Signal(ExportTraceServiceRequest, OtlpSpan, "resource_spans", "scope_spans", "spans")
_LOGS = Signal(ExportLogsServiceRequest, OtlpLogRecord, "resource_logs", "scope_logs", "log_records")
_METRICS = Signal(ExportMetricsServiceRequest, OtlpMetric, "resource_metrics", "scope_metrics", "metrics", KINDS)


def parse_traces(
    body: bytes, *, content_type: str = PROTOBUF, content_encoding: str = "", now: float, max_decoded_bytes: int
) -> Parsed[Span]:
    """Read an ExportTraceServiceRequest. Raises PayloadError if the body is not one."""
    text = decoded(body, content_encoding, max_decoded_bytes)
    return read_spans(records(_TRACES, text, content_type), now=now)


def parse_logs(
    body: bytes, *, content_type: str = PROTOBUF, content_encoding: str = "", now: float, max_decoded_bytes: int
) -> Parsed[LogRecord]:
    """Read an ExportLogsServiceRequest. Raises PayloadError if the body is not one."""
    text = decoded(body, content_encoding, max_decoded_bytes)
    return read_logs(records(_LOGS, text, content_type), now=now)


def parse_metrics(
    body: bytes, *, content_type: str = PROTOBUF, content_encoding: str = "", now: float, max_decoded_bytes: int
) -> Parsed[MetricPoint]:
    """Read an ExportMetricsServiceRequest. Raises PayloadError if the body is not one."""
    text = decoded(body, content_encoding, max_decoded_bytes)
    return read_metrics(records(_METRICS, text, content_type), now=now)


def traces_response(rejections: Sequence[Rejection], content_type: str = PROTOBUF) -> bytes:
    """Return the body of the 200 response: how many spans were refused and why. Empty if all were accepted."""
    return _response(ExportTraceServiceResponse, ExportTracePartialSuccess, "rejected_spans", rejections, content_type)


def logs_response(rejections: Sequence[Rejection], content_type: str = PROTOBUF) -> bytes:
    """Return the body of the 200 response: how many log records were refused and why. Empty if all were accepted."""
    return _response(
        ExportLogsServiceResponse, ExportLogsPartialSuccess, "rejected_log_records", rejections, content_type
    )


def metrics_response(rejections: Sequence[Rejection], content_type: str = PROTOBUF) -> bytes:
    """Return the body of the 200 response: how many data points were refused and why. Empty if all were accepted."""
    return _response(
        ExportMetricsServiceResponse, ExportMetricsPartialSuccess, "rejected_data_points", rejections, content_type
    )


def _response(
    whole: Callable[..., Message],
    partial: Callable[..., Message],
    counter: str,
    rejections: Sequence[Rejection],
    content_type: str,
) -> bytes:
    """Build a response. The signals differ only in the message types and in the name of the rejection counter."""
    if not rejections:
        return _serialize(whole(), content_type)
    refused = partial(**{counter: len(rejections)}, error_message=_summary(rejections))
    return _serialize(whole(partial_success=refused), content_type)


def _serialize(answer: Message, content_type: str) -> bytes:
    """Serialize the response in the encoding of the request, as the protocol requires."""
    return MessageToJson(answer, indent=None).encode() if content_type == JSON else answer.SerializeToString()


def _summary(rejections: Sequence[Rejection]) -> str:
    first = rejections[0]
    more = f" (and {len(rejections) - 1} more)" if len(rejections) > 1 else ""
    return f"{first.field}: {first.message}{more}"
