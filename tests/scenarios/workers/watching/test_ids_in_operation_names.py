"""Each request has an id, or one of many words, in its name; the endpoint is watched all the same."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from integrations.inbound.otlp.doors import parse_traces
from storage import incidents
from tests.scenarios.workers.worker import Clock
from workers.lifecycle.tick import tick
from workers.services import Services

NUMBERS = count(1)


def sends(
    services: Services,
    clock: Clock,
    seconds: int,
    named: Callable[[int], str],
    *,
    a_second: float,
    failing: bool = False,
) -> None:
    """Export requests as an SDK does: one span each, in protobuf."""
    since = clock().timestamp()
    for begun in range(0, seconds, 30):
        spans = [_span(named, since + begun + at, failing) for at in np.arange(0, 30, 1 / a_second)]
        clock.forward(30)
        request = ExportTraceServiceRequest(
            resource_spans=[
                ResourceSpans(
                    resource=Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value="tea"))]),
                    scope_spans=[ScopeSpans(spans=spans)],
                )
            ]
        )
        found = parse_traces(request.SerializeToString(), now=clock().timestamp(), max_decoded_bytes=10**7)
        assert not found.rejections
        services.telemetry.append_spans(found.records)
        if begun % 600 == 0 or failing:
            clock.forward(3)
            tick(services)


def shop(number: int) -> str:
    """Return one of a thousand names that are words."""
    number = number * 7919 % 1000
    return "tea" + "".join(chr(97 + number // 26**place % 26) for place in range(3))


def _span(named: Callable[[int], str], at: float, failing: bool) -> Span:
    number = next(NUMBERS)
    began = int(at * 1e9)
    return Span(
        trace_id=number.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        name=named(number),
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=began,
        end_time_unix_nano=began + 40_000_000,
        attributes=[
            KeyValue(key="http.request.method", value=AnyValue(string_value="GET")),
            KeyValue(key="http.response.status_code", value=AnyValue(int_value=500 if failing else 200)),
        ],
    )


@pytest.mark.parametrize(
    ("named", "title"),
    [
        (lambda number: f"GET /vats/{number}", "GET /vats/{id} fails for "),
        (lambda number: f"GET /shops/{shop(number)}/teas", "GET /shops/{name}/teas fails for "),
        (
            lambda number: f"HTTP GET https://tea.example/tins/{number * 7919:024x}/label?size=2",
            "HTTP GET /tins/{id}/label",
        ),
    ],
    ids=["number", "word", "hash in a URL"],
)
def test_an_outage_of_requests_whose_names_differ_is_an_incident(
    services: Services, clock: Clock, named: Callable[[int], str], title: str
) -> None:
    sends(services, clock, 2 * 3600 + 1800, named, a_second=0.5)
    with services.readers() as session:
        assert list(incidents.list_incidents(session)) == []
    sends(services, clock, 90, named, a_second=2, failing=True)
    with services.readers() as session:
        (incident,) = incidents.list_incidents(session)
        assert incident.title.startswith(title)
