"""The service map learns from spans who calls whom, also where the two sides came in different batches."""

from __future__ import annotations

from datetime import timedelta

from detection.types import Span, SpanKind
from storage.surroundings.service_map import edges_known
from tests.scenarios.workers.databases import ON_BOTH
from tests.scenarios.workers.worker import Clock
from workers.lifecycle.seen_calls import LOOK_EVERY_SECONDS, record_calls
from workers.lifecycle.tick import run_parts
from workers.services import Services

pytestmark = ON_BOTH


def put(services: Services, clock: Clock, number: int, service: str, parent: int | None, kind: SpanKind) -> None:
    span = Span(f"{1:032x}", f"{number:016x}", f"{parent:016x}" if parent else None, kind, "GET /", service, None,
                clock().timestamp(), 5.0, False, "GET /" if kind is SpanKind.SERVER else None, 200)  # fmt: skip
    services.telemetry.append_spans([span])


def look(services: Services, clock: Clock, times: int = 1) -> list[tuple[str, str, str]]:
    for _ in range(times):
        clock.forward(LOOK_EVERY_SECONDS)
        record_calls(services, clock())
    with services.readers() as session:
        return [(edge.caller, edge.callee, edge.source) for edge in edges_known(session, clock() - timedelta(hours=1))]


def test_a_call_is_known_though_the_callers_span_came_last(services: Services, clock: Clock) -> None:
    look(services, clock)
    put(services, clock, 2, "stock", 1, SpanKind.SERVER)
    assert look(services, clock) == []
    put(services, clock, 1, "cart", None, SpanKind.OTHER)
    assert look(services, clock) == [("cart", "stock", "spans")]


def test_calls_within_a_service_and_parents_that_never_came_are_no_edges(services: Services, clock: Clock) -> None:
    look(services, clock)
    put(services, clock, 1, "cart", None, SpanKind.SERVER)
    put(services, clock, 2, "cart", 1, SpanKind.SERVER)
    put(services, clock, 3, "stock", 99, SpanKind.SERVER)
    put(services, clock, 4, "unknown_service", 1, SpanKind.SERVER)
    assert look(services, clock, times=3) == []


def test_the_tick_looks_who_calls_whom(services: Services, clock: Clock) -> None:
    for _ in range(3):
        run_parts(services).raise_all()
        put(services, clock, 1, "cart", None, SpanKind.OTHER)
        put(services, clock, 2, "stock", 1, SpanKind.SERVER)
        clock.forward(LOOK_EVERY_SECONDS)
    with services.readers() as session:
        assert [(edge.caller, edge.callee) for edge in edges_known(session, clock() - timedelta(hours=1))] == [
            ("cart", "stock")
        ]
