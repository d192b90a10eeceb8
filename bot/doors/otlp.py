"""The doors for OTLP over HTTP: /v1/traces, /v1/logs and /v1/metrics, as protobuf or JSON.

The protocol: https://opentelemetry.io/docs/specs/otlp/#otlphttp
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import APIRouter, Request, Response
from google.protobuf.json_format import MessageToJson
from google.rpc.status_pb2 import Status

from bot.doors.openapi import OTLP_DOCS
from bot.doors.own import JSON, PROTOBUF, InjectedReception, Secret
from bot.errors import BotError, MalformedError
from bot.reception.receive import Door, ParsedBody, Payload, Reception
from detection.types import LogRecord, MetricPoint, Span
from integrations.inbound.otlp.doors import (
    logs_response,
    metrics_response,
    parse_logs,
    parse_metrics,
    parse_traces,
    traces_response,
)
from integrations.inbound.reading.records import Parsed, Rejection
from storage.telemetry.protocol import Appended, TelemetryStore

Record = TypeVar("Record")

_GRPC_CODES: Mapping[int, int] = {400: 3, 401: 16, 403: 7, 408: 4, 413: 8, 415: 3, 422: 3, 429: 14, 503: 14}
_UNKNOWN = 2

router = APIRouter(tags=["Doors"])


def grpc_code(error: BotError) -> int:
    """Return the gRPC status code of an error.

    One of UNAUTHENTICATED, PERMISSION_DENIED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INVALID_ARGUMENT, UNAVAILABLE and
    UNKNOWN. Senders retry after DEADLINE_EXCEEDED and UNAVAILABLE only.
    """
    return _GRPC_CODES.get(error.status, _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Signal(Generic[Record]):
    """One OTLP signal: its door, and the function that encodes the response to (rejections, encoding)."""

    door: Door[Record]
    answer: Callable[[Sequence[Rejection], str], bytes]


def _parser(parse: Callable[..., Parsed[Record]]) -> Callable[[Payload], ParsedBody[Record]]:
    def read(payload: Payload) -> ParsedBody[Record]:
        return ParsedBody(
            parse(
                payload.body,
                content_type=payload.content_type,
                content_encoding=payload.content_encoding,
                now=payload.now,
                max_decoded_bytes=payload.max_decoded_bytes,
            )
        )

    return read


def _append_spans(store: TelemetryStore, spans: Sequence[Span]) -> Appended:
    return store.append_spans(spans)


def _append_logs(store: TelemetryStore, records: Sequence[LogRecord]) -> Appended:
    return store.append_logs(records)


def _append_points(store: TelemetryStore, points: Sequence[MetricPoint]) -> Appended:
    return store.append_metric_points(points)


PATIENCE_SECONDS = 9.5
"""How long an export waits for the database.

Exporters give up for good 10 s after their first try (OTEL_EXPORTER_OTLP_TIMEOUT), and those of .NET and Rust try once
only: what is refused earlier is lost, so nothing is refused while they still wait.
"""


def _door(name: str, parse: Callable[..., Parsed[Record]], append: Callable[..., Appended]) -> Door[Record]:
    return Door(name, (PROTOBUF, JSON), _parser(parse), append, patience_seconds=PATIENCE_SECONDS)


TRACES = Signal(_door("otlp_traces", parse_traces, _append_spans), traces_response)
LOGS = Signal(_door("otlp_logs", parse_logs, _append_logs), logs_response)
METRICS = Signal(_door("otlp_metrics", parse_metrics, _append_points), metrics_response)


@router.post("/v1/traces", summary="Send spans by OTLP/HTTP", openapi_extra=OTLP_DOCS)
async def take_traces(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take an ExportTraceServiceRequest; partial_success tells of rejected spans."""
    return await _take(request, reception, secret, TRACES)


@router.post("/v1/logs", summary="Send log records by OTLP/HTTP", openapi_extra=OTLP_DOCS)
async def take_logs(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take an ExportLogsServiceRequest; partial_success tells of rejected records."""
    return await _take(request, reception, secret, LOGS)


@router.post("/v1/metrics", summary="Send metrics by OTLP/HTTP", openapi_extra=OTLP_DOCS)
async def take_metrics(request: Request, reception: InjectedReception, secret: Secret) -> Response:
    """Take an ExportMetricsServiceRequest; partial_success tells of rejected data points."""
    return await _take(request, reception, secret, METRICS)


async def _take(request: Request, reception: Reception, secret: str | None, signal: Signal[Any]) -> Response:
    """Store a request's records and answer in the encoding of the request, errors too."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    encoding = JSON if sent == JSON else PROTOBUF
    try:
        receipt = await reception.receive(request, signal.door, secret)
    except BotError as error:
        return _error_response(error, encoding)
    return Response(signal.answer(receipt.rejections, encoding), media_type=encoding)


def _error_response(error: BotError, encoding: str) -> Response:
    """Return an error as google.rpc.Status, as the protocol requires. A body that cannot be decoded is a 400."""
    status = Status(code=grpc_code(error), message=error.message)
    body = MessageToJson(status, indent=None).encode() if encoding == JSON else status.SerializeToString()
    code = 400 if isinstance(error, MalformedError) else error.status
    return Response(body, code, error.headers, media_type=encoding)
