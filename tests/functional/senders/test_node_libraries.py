"""The Node libraries of Segment and PostHog, and OpenTelemetry's JavaScript exporters."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.functional.agents.conftest import recipe
from tests.functional.web import Web

Run = Callable[..., str]


def test_segment_messages_are_stored_as_events(web: Web, run_node: Run) -> None:
    run_node("segment")
    said = {event["event"]: event["properties"] for event in web.events_of("segment-node", count=3)}
    assert said == {
        "identify": {"plan": "free"},
        "Checkout Started": {"country": "DE", "total": 12.5},
        "page": {"name": "Pricing", "path": "/pricing"},
    }


def test_posthog_events_are_stored_as_events_and_its_exception_as_a_log_record(web: Web, run_node: Run) -> None:
    since = time.time() - 1
    run_node("posthog")
    events = {event["event"]: event for event in web.events_of("posthog-node", count=2)}
    assert events["checkout_started"]["properties"]["country"] == "FR"
    assert "$identify" in events
    [record] = web.store.log_samples(since=since, until=time.time() + 60, service="shop-node")
    assert record.body == "TypeError: card is undefined"


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_opentelemetry_json_is_stored_as_spans_logs_and_metrics(web: Web, run_node: Run, compression: str) -> None:
    service, since = f"shop-js-{compression}", time.time() - 1
    run_node("otel", COMPRESSION=compression, SERVICE=service)
    until = time.time() + 60
    assert web.spans(service, since=since) == [("POST /checkout", "v7", True)]
    [record] = web.store.log_samples(since=since, until=until, service=service)
    assert (record.severity, record.body, record.attributes) == ("ERROR", "payment refused", {"order": 7})
    [orders] = web.store.metric_samples(service, "orders", since=since, until=until)
    assert (orders.value, orders.kind, orders.attributes) == (
        3.0,
        "cumulative",
        {"country": "DE", "otel.scope.name": "shop"},
    )
    [total] = web.store.metric_samples(service, "checkout.duration.sum", since=since, until=until)
    assert total.value == 0.25


def test_amplitudes_library_has_its_event_stored(web: Web, run_node: Run) -> None:
    run_node("amplitude")
    [event] = web.events_of("amplitude-node")
    assert (event["event"], event["properties"]["country"]) == ("checkout_started", "FR")


def test_mixpanels_library_has_its_events_stored_whether_it_gets_or_posts(web: Web, run_node: Run) -> None:
    run_node("mixpanel")
    events = web.events_of("mixpanel-node", count=3)
    assert {event["event"] for event in events} == {"checkout_started"}
    assert sorted(event["properties"]["number"] for event in events) == [1, 2, 3]


@pytest.mark.parametrize(("library", "service"), [("pino", "pino-shop"), ("winston", "shop")])
def test_loggers_of_node_set_up_as_documented_have_their_lines_stored(
    web: Web, run_node: Run, library: str, service: str
) -> None:
    since = time.time() - 1
    setup = recipe(library, **{"https://YOUR-ADDRESS": web.url, "argux_…": web.key})
    run_node(library, RECIPE=setup, SERVICE=service)
    until = time.time() + 60
    found = {record.body.strip(): record for record in web.store.log_samples(since=since, until=until, service=service)}
    assert (found["payment refused"].severity, found["payment taken"].severity) == ("ERROR", "INFO")
    assert str(found["payment refused"].attributes["order"]) == "7"
