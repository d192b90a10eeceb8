"""Encode past visits in the formats that the shop's clients send: PostHog batches and OTLP trace requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot.demo.behaviour import EVENTS, Step
from bot.demo.history.visits import Answer, Visit

STATEMENTS: Mapping[Step, tuple[str, ...]] = {
    Step.SIGN_UP: ("INSERT INTO users VALUES (?, ?, ?)",),
    Step.CART: (
        "SELECT country, device FROM users WHERE id = ?",
        "SELECT 1 FROM products WHERE sku = ?",
        "INSERT INTO cart_lines VALUES (?, ?, ?)",
    ),
    Step.CHECKOUT: (
        "SELECT country, device FROM users WHERE id = ?",
        "SELECT cart_lines.sku, quantity, price_cents FROM cart_lines JOIN products USING (sku) WHERE user_id = ?",
        "SELECT sku, name FROM products ORDER BY popularity DESC LIMIT ?",
        "INSERT INTO orders (user_id, total_cents, payment_method, status) VALUES (?, ?, ?, 'placed')",
        "DELETE FROM cart_lines WHERE user_id = ?",
    ),
    Step.PAYMENT: (
        "SELECT user_id, country, device, payment_method FROM orders JOIN users ON users.id = user_id"
        " WHERE orders.id = ?",
        "UPDATE orders SET status = 'paid' WHERE id = ?",
    ),
}
"""The SQL statements of the healthy shop at each step. A test compares them with the shop's own traces."""

STATUS_CODES: Mapping[Step, int] = {Step.SIGN_UP: 201, Step.CART: 201, Step.CHECKOUT: 201, Step.PAYMENT: 200}
WITH_PAYMENT_METHOD = frozenset({Step.CHECKOUT, Step.PAYMENT})


def posthog_events(visit: Visit, random: Random) -> list[dict[str, Any]]:
    """Return the events that the PostHog client would have sent for a visit, each timed at the end of its request."""
    events = []
    for answer in visit.answers:
        properties = {"country": visit.shopper.country, "device": visit.shopper.device, "$lib": "posthog-python"}
        if answer.step in WITH_PAYMENT_METHOD:
            properties["payment_method"] = visit.shopper.payment_method
        happened_at = datetime.fromtimestamp(answer.started_at + answer.seconds, UTC)
        events.append(
            {
                "event": EVENTS[answer.step],
                "distinct_id": visit.user_id,
                "timestamp": happened_at.isoformat(),
                "uuid": str(UUID(bytes=random.randbytes(16), version=4)),
                "properties": properties,
            }
        )
    return events


def answer_spans(answer: Answer, random: Random) -> list[Span]:
    """Return the spans that the stock instrumentation records for a request.

    The first is the server span; each SQL statement has one client span.
    """
    trace_id = random.randbytes(16)
    server = Span()
    server.CopyFrom(_SERVER[answer.step])
    server.trace_id = trace_id
    server.span_id = random.randbytes(8)
    server.start_time_unix_nano, server.end_time_unix_nano = _nanoseconds(answer.started_at, answer.seconds)
    spans = [server]
    templates = _QUERIES[answer.step]
    each = answer.seconds / (len(templates) + 1)
    for position, template in enumerate(templates):
        query = Span()
        query.CopyFrom(template)
        query.trace_id = trace_id
        query.span_id = random.randbytes(8)
        query.parent_span_id = server.span_id
        begun = answer.started_at + (position + 0.5) * each
        query.start_time_unix_nano, query.end_time_unix_nano = _nanoseconds(begun, each)
        spans.append(query)
    return spans


def reserve_spans(checkout: Span, random: Random) -> list[Span]:
    """Return the spans that the inventory records while the shop serves a checkout."""
    begun, ended = checkout.start_time_unix_nano, checkout.end_time_unix_nano
    asked, query = Span(), Span()
    for span, template, parent, share in (
        (asked, _RESERVE, checkout, 0.4),
        (query, _RESERVE_QUERY, asked, 0.2),
    ):
        span.CopyFrom(template)
        span.trace_id, span.span_id = checkout.trace_id, random.randbytes(8)
        span.parent_span_id = parent.span_id
        span.start_time_unix_nano, span.end_time_unix_nano = begun, begun + int(share * (ended - begun))
    return [asked, query]


def trace_request(spans: Sequence[Span], version: str, service: str = "shop") -> bytes:
    """Encode spans of one version of a service as the body of a POST to /v1/traces."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend([_text("service.name", service), _text("service.version", version)])
    resource_spans.scope_spans.add(spans=spans)
    return request.SerializeToString()


def _nanoseconds(started_at: float, seconds: float) -> tuple[int, int]:
    return int(started_at * 1e9), int((started_at + seconds) * 1e9)


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _server_template(route: str, status_code: int) -> Span:
    return Span(
        name=f"POST {route}",
        kind=Span.SPAN_KIND_SERVER,
        attributes=[
            _text("http.method", "POST"),
            _text("http.route", route),
            _text("http.target", route),
            KeyValue(key="http.status_code", value=AnyValue(int_value=status_code)),
        ],
    )


def _query_template(statement: str) -> Span:
    return Span(
        name=statement.split()[0],
        kind=Span.SPAN_KIND_CLIENT,
        attributes=[_text("db.system", "sqlite"), _text("db.statement", statement)],
    )


_SERVER = {step: _server_template(step, STATUS_CODES[step]) for step in Step}
_RESERVE = _server_template("/reserve", 200)
_RESERVE_QUERY = _query_template("SELECT name FROM warehouses ORDER BY free DESC LIMIT ?")
_QUERIES = {step: [_query_template(statement) for statement in STATEMENTS[step]] for step in Step}
