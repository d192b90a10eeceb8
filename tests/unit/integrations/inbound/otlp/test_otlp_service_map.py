"""What spans say of the service map: whom a service calls, where it keeps data, where it runs."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from detection.types import EdgeKind, ServiceEdge, ServicePlace
from integrations.inbound.otlp.doors import parse_traces

NOW = 1_770_465_600.0
CLIENT, SERVER, INTERNAL = Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER, Span.SPAN_KIND_INTERNAL
PRODUCER, CONSUMER = Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER
CALLS, STORES = EdgeKind.CALLS, EdgeKind.STORES


def pairs(found: dict[str, str]) -> list[KeyValue]:
    return [KeyValue(key=name, value=AnyValue(string_value=value)) for name, value in found.items()]


def span(
    kind: Span.SpanKind.ValueType, attributes: dict[str, str] | None = None, number: int = 1, parent: int = 0
) -> Span:
    start = int(NOW * 1e9)
    return Span(
        trace_id=b"\x01" * 16,
        span_id=bytes([number] * 8),
        parent_span_id=bytes([parent] * 8) if parent else b"",
        name="GET /",
        kind=kind,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 1_000_000,
        attributes=pairs(attributes or {}),
    )


def beside(*told: tuple[dict[str, str], list[Span]]) -> list[Any]:
    resources = [
        ResourceSpans(resource=Resource(attributes=pairs(resource)), scope_spans=[ScopeSpans(spans=spans)])
        for resource, spans in told
    ]
    body = ExportTraceServiceRequest(resource_spans=resources).SerializeToString()
    return parse_traces(body, now=NOW, max_decoded_bytes=10**7).beside


CART = {"service.name": "cart"}


@pytest.mark.parametrize(
    ("kind", "attributes", "callee", "how"),
    [
        (CLIENT, {"peer.service": "stock", "server.address": "10.0.0.7"}, "stock", CALLS),
        (CLIENT, {"server.address": "stock.shop.svc.cluster.local"}, "stock", CALLS),
        (CLIENT, {"net.peer.name": "api.stripe.com:443"}, "api.stripe.com", CALLS),
        (CLIENT, {"rpc.service": "acme.shop.StockService", "server.address": "10.0.0.7"}, "StockService", CALLS),
        (CLIENT, {"db.system": "postgresql", "server.address": "cart-db"}, "cart-db", STORES),
        (CLIENT, {"db.system.name": "postgresql", "db.namespace": "orders"}, "postgresql/orders", STORES),
        (INTERNAL, {"db.system": "redis", "net.peer.name": "127.0.0.1"}, "redis", STORES),
        (PRODUCER, {"messaging.system": "kafka", "messaging.destination.name": "orders"}, "kafka/orders", STORES),
        (CONSUMER, {"messaging.system": "kafka", "server.address": "kafka"}, "kafka", STORES),
    ],
)
def test_a_span_that_goes_out_names_its_peer(
    kind: Span.SpanKind.ValueType, attributes: dict[str, str], callee: str, how: EdgeKind
) -> None:
    assert beside((CART, [span(kind, attributes)])) == [ServiceEdge("cart", callee, how, "spans", NOW)]


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        (SERVER, {"server.address": "cart.example", "peer.service": "web"}),
        (INTERNAL, {"server.address": "stock"}),
        (CLIENT, {"server.address": "127.0.0.1"}),
        (CLIENT, {"server.address": "localhost"}),
        (CLIENT, {"server.address": "[::1]:80"}),
        (CLIENT, {"peer.service": "cart"}),
        (CLIENT, {}),
    ],
)
def test_a_span_that_names_nobody_else_gives_no_edge(kind: Span.SpanKind.ValueType, attributes: dict[str, str]) -> None:
    assert beside((CART, [span(kind, attributes)])) == []


def test_the_parent_of_another_service_in_one_batch_is_the_caller() -> None:
    found = beside((CART, [span(CLIENT, number=1)]), ({"service.name": "stock"}, [span(SERVER, number=2, parent=1)]))
    assert found == [ServiceEdge("cart", "stock", CALLS, "spans", NOW)]


def test_a_parent_within_the_service_is_no_edge() -> None:
    assert beside((CART, [span(SERVER, number=1), span(INTERNAL, number=2, parent=1)])) == []


def test_a_service_without_a_name_is_in_no_edge() -> None:
    assert beside(({}, [span(CLIENT, {"peer.service": "stock"})])) == []


@pytest.mark.parametrize(
    ("resource", "node"),
    [
        ({"k8s.node.name": "node-7", "k8s.pod.name": "cart-1", "host.name": "cart-1"}, "node-7"),
        ({"host.name": "vm-3"}, "vm-3"),
        ({"host.name": "cart-1", "k8s.pod.name": "cart-1"}, None),
        ({"host.name": "0a1b2c3d4e5f", "container.id": "0a1b2c3d4e5f"}, None),
    ],
)
def test_the_node_is_told_by_the_resource_and_never_by_a_pods_own_name(
    resource: dict[str, str], node: str | None
) -> None:
    found = beside(({**CART, **resource}, [span(SERVER, number=1), span(SERVER, number=2)]))
    assert found == ([ServicePlace("cart", node, NOW)] if node else [])


def test_many_spans_of_one_peer_are_one_edge() -> None:
    spans = [span(CLIENT, {"peer.service": "stock"}, number=number) for number in range(1, 200)]
    assert len(beside((CART, spans))) == 1
