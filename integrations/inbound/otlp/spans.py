"""Convert OTLP spans to our own. Both generations of the semantic conventions are read, the stable names first.

HTTP: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
Database: https://opentelemetry.io/docs/specs/semconv/database/database-spans/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from detection.types import JsonValue, Span, SpanKind
from integrations.inbound.otlp.map import Peer, Sights, node_of, peer_of
from integrations.inbound.otlp.parts import Located
from integrations.inbound.otlp.values import (
    NAME_LIMIT,
    attributes,
    first_integer,
    first_text,
    identifier,
    in_nanoseconds,
    nanoseconds,
    text,
)
from integrations.inbound.reading.operation_names import operation_template, path_template
from integrations.inbound.reading.records import FieldError, Parsed, rejection_at

ENDPOINT_LIMIT = 300
LONGEST_PATH = 2_000
_PATHS = ("url.path", "http.target", "http.path", "url.full", "http.url")
_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "QUERY"))
_SAYS_NOTHING = frozenset(
    (
        "http",
        "http.server",
        "http.request",
        "http.server.request",
        "http.server.requests",
        "http_request",
        "web.request",
        "request",
        "aspnet_core.request",
        "asgi.request",
        "wsgi.request",
        "rack.request",
        "servlet.request",
        "express.request",
        "flask.request",
        "django.request",
        "fastapi.request",
        "spring.handler",
        "netty.request",
        "nginx.request",
        "nginx.proxy",
        "ingress",
        "handle",
        "unnamed",
    )
)
"""Names that instrumentations give to every request alike."""
TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8


def read_spans(located: Iterable[Located[OtlpSpan]], *, now: float) -> Parsed[Span]:
    """Read every span of a request. A rejection's index counts the spans of the whole request.

    Beside them stands what they say of the service map.
    """
    parsed: Parsed[Span] = Parsed()
    sights = Sights()
    resource: Resource | None = None
    for index, found in enumerate(located):
        try:
            span, peer = _span_and_peer(found.readable(), found.service, found.version, now=now)
        except FieldError as error:
            parsed.rejections.append(rejection_at(index, found.path(), error))
            continue
        parsed.records.append(span)
        if peer is not None:
            sights.peers.add((found.service, peer))
        if found.resource is not resource:
            resource = found.resource
            if node := node_of(resource):
                sights.places.add((span.service, node))
    parsed.beside += sights.told(parsed.records, now=now)
    return parsed


def _span_and_peer(span: OtlpSpan, service: str, version: str | None, *, now: float) -> tuple[Span, Peer | None]:
    started_at = nanoseconds(span.start_time_unix_nano, now=now, field="startTimeUnixNano")
    nanoseconds(span.end_time_unix_nano, now=now, field="endTimeUnixNano")
    if span.end_time_unix_nano < span.start_time_unix_nano:
        raise FieldError("endTimeUnixNano", "lies before the start")
    found = attributes(span.attributes)
    converted = span_of(
        found,
        trace_id=identifier(span.trace_id, TRACE_ID_BYTES, "traceId"),
        span_id=identifier(span.span_id, SPAN_ID_BYTES, "spanId"),
        parent_span_id=_parent(span),
        name=span.name,
        is_server=span.kind == OtlpSpan.SPAN_KIND_SERVER,
        service=service,
        version=version,
        started_at=started_at,
        duration_ms=(in_nanoseconds(span.end_time_unix_nano) - in_nanoseconds(span.start_time_unix_nano)) / 1e6,
        is_error=span.status.code == Status.STATUS_CODE_ERROR,
    )
    return converted, None if converted.kind is SpanKind.SERVER else peer_of(span, found)


def span_of(
    found: Mapping[str, JsonValue],
    *,
    trace_id: str,
    span_id: str,
    parent_span_id: str | None,
    name: str,
    is_server: bool,
    service: str,
    version: str | None,
    started_at: float,
    duration_ms: float,
    is_error: bool,
) -> Span:
    """Return a span with what its attributes, `found`, say of its endpoint, its statement and whether it failed."""
    status_code = first_integer(found, "http.response.status_code", "http.status_code")
    statement = None if is_server else first_text(found, "db.query.text", "db.statement")
    return Span(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=parent_span_id,
        kind=SpanKind.SERVER if is_server else SpanKind.DATABASE if statement else SpanKind.OTHER,
        name=text(name, NAME_LIMIT),
        service=service,
        version=version,
        started_at=started_at,
        duration_ms=duration_ms,
        is_error=is_error or (status_code is not None and status_code >= 500),
        endpoint=_endpoint(name, found, status_code) if is_server else None,
        status_code=status_code,
        statement=statement,
    )


def _endpoint(said: str, found: Mapping[str, JsonValue], status_code: int | None) -> str:
    """Return the endpoint, such as "POST /checkout": the route as it is given, else the span's name without ids.

    A name that says nothing is completed from the path, unless no route answered (404): such paths are anybody's.
    """
    method = first_text(found, "http.request.method", "http.method")
    route = first_text(found, "http.route")
    if method and route:
        return f"{method} {route}"[:ENDPOINT_LIMIT]
    name = text(said, LONGEST_PATH)
    if _says_nothing(name, method) and status_code not in (404, 405):
        path = first_text(found, *_PATHS)
        if path:
            return f"{method or name or 'HTTP'} {path_template(path[:LONGEST_PATH])}"[:ENDPOINT_LIMIT]
    return operation_template(name)[:ENDPOINT_LIMIT] or method or "unnamed"


def _says_nothing(name: str, method: str | None) -> bool:
    said = name.lower().strip()
    known = {"", method.lower(), f"http {method.lower()}"} if method else {""}
    return said in known or said in _SAYS_NOTHING or said.removeprefix("http ").upper() in _METHODS


def _parent(span: OtlpSpan) -> str | None:
    if not any(span.parent_span_id):
        return None
    return identifier(span.parent_span_id, SPAN_ID_BYTES, "parentSpanId")
