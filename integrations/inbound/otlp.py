"""OpenTelemetry's doors: OTLP/HTTP with protobuf bodies, /v1/traces and /v1/logs.

The protocol: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from detection.types import LogRecord, Span
from integrations.inbound.body import decoded
from integrations.inbound.otlp_logs import read_logs
from integrations.inbound.otlp_spans import read_spans
from integrations.inbound.records import Parsed, PayloadError, Rejection

RequestMessage = TypeVar("RequestMessage", bound=Message)


def parse_traces(body: bytes, *, content_encoding: str = "", now: float, max_decoded_bytes: int) -> Parsed[Span]:
    """Read an ExportTraceServiceRequest. Raises PayloadError where it is not one."""
    request = _message(ExportTraceServiceRequest(), decoded(body, content_encoding, max_decoded_bytes))
    return read_spans(request, now=now)


def parse_logs(body: bytes, *, content_encoding: str = "", now: float, max_decoded_bytes: int) -> Parsed[LogRecord]:
    """Read an ExportLogsServiceRequest. Raises PayloadError where it is not one."""
    request = _message(ExportLogsServiceRequest(), decoded(body, content_encoding, max_decoded_bytes))
    return read_logs(request, now=now)


def traces_response(rejections: Sequence[Rejection]) -> bytes:
    """The body of the 200: it says how many spans were refused and why, and nothing where all were taken."""
    if not rejections:
        return ExportTraceServiceResponse().SerializeToString()
    partial = ExportTracePartialSuccess(rejected_spans=len(rejections), error_message=_summary(rejections))
    return ExportTraceServiceResponse(partial_success=partial).SerializeToString()


def logs_response(rejections: Sequence[Rejection]) -> bytes:
    """The body of the 200: it says how many log records were refused and why, and nothing where all were taken."""
    if not rejections:
        return ExportLogsServiceResponse().SerializeToString()
    partial = ExportLogsPartialSuccess(rejected_log_records=len(rejections), error_message=_summary(rejections))
    return ExportLogsServiceResponse(partial_success=partial).SerializeToString()


def _message(empty: RequestMessage, body: bytes) -> RequestMessage:
    try:
        empty.ParseFromString(body)
    except DecodeError as error:
        raise PayloadError(f"it is not a protobuf {type(empty).__name__}") from error
    return empty


def _summary(rejections: Sequence[Rejection]) -> str:
    first = rejections[0]
    more = f" (and {len(rejections) - 1} more)" if len(rejections) > 1 else ""
    return f"{first.field}: {first.message}{more}"
