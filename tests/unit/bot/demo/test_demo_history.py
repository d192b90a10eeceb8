"""The generated history matches the live measurements that it is generated from."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bot.demo.behaviour import EVENTS, Step, draw_shopper
from bot.demo.history.importing import Batch, ImportCounts, import_history, make_batches
from bot.demo.history.visits import DAY_SECONDS, HistoryPlan, Visit, make_visits
from bot.demo.history.wire import STATEMENTS
from tests.unit.bot.demo.doors import Received

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC).timestamp()
MEASURED = {step: [0.02, 0.03, 0.04] for step in Step}
PLAN = HistoryPlan(visits=3000, days=7.0, quiet_seconds=600.0)


@pytest.fixture(scope="module")
def visits() -> list[Visit]:
    return list(make_visits(PLAN, MEASURED, NOW, Random(5)))


def batches_of(visits: list[Visit]) -> list[Batch]:
    return list(
        make_batches(
            visits,
            "key",
            lambda moment: "new" if moment > NOW - 2 * DAY_SECONDS else "old",
            Random(6),
            traced_share=0.5,
        )
    )


def test_visits_fill_seven_days_and_leave_the_last_minutes_to_live_traffic(visits: list[Visit]) -> None:
    arrivals = [visit.answers[0].started_at for visit in visits]
    assert len(visits) == pytest.approx(PLAN.visits, rel=0.03)
    assert NOW - 7 * DAY_SECONDS < min(arrivals) < NOW - 6.9 * DAY_SECONDS
    assert NOW - 1800 < max(visit.answers[-1].started_at for visit in visits) < NOW - PLAN.quiet_seconds + 30


def test_evenings_are_busy_and_nights_are_quiet(visits: list[Visit]) -> None:
    by_hour = Counter(datetime.fromtimestamp(visit.answers[0].started_at, UTC).hour for visit in visits)
    assert by_hour[19] > 2.5 * by_hour[3] > 0


def test_the_past_conversion_rate_matches_that_of_live_shoppers(visits: list[Visit]) -> None:
    paid = sum(visit.answers[-1].step is Step.PAYMENT for visit in visits) / len(visits)
    random = Random(7)
    wanted = sum(draw_shopper(random).wants[-1] is Step.PAYMENT for _ in range(3000)) / 3000
    assert 0.3 < paid < 0.45
    assert paid == pytest.approx(wanted, abs=0.04)


def test_latencies_are_the_measured_ones_with_a_small_hourly_variation(visits: list[Visit]) -> None:
    seconds = sorted(answer.seconds for visit in visits for answer in visit.answers)
    assert seconds[len(seconds) // 2] == pytest.approx(0.03, rel=0.1)
    assert 0.014 < seconds[0] < seconds[-1] < 0.06


def test_past_shoppers_give_up_when_the_shop_is_slow() -> None:
    slow = {**MEASURED, Step.CHECKOUT: [1.1]}
    visits = list(make_visits(PLAN, slow, NOW, Random(8)))
    paid = sum(visit.answers[-1].step is Step.PAYMENT for visit in visits) / len(visits)
    assert paid < 0.2


def test_events_have_the_format_of_the_posthog_client(visits: list[Visit]) -> None:
    bodies = [json.loads(batch.body) for batch in batches_of(visits) if batch.path == "/batch/"]
    events = [event for body in bodies for event in body["batch"]]
    assert {body["api_key"] for body in bodies} == {"key"}
    assert len({event["uuid"] for event in events}) == len(events) == sum(len(visit.answers) for visit in visits)
    assert {event["event"] for event in events} == set(EVENTS.values())
    for event in events:
        assert {"country", "device"} < set(event["properties"])
        assert datetime.fromisoformat(event["timestamp"]).tzinfo is not None
        after_checkout = event["event"] in {"checkout_completed", "payment_completed"}
        assert ("payment_method" in event["properties"]) == after_checkout


def test_half_of_the_visits_have_traces_with_one_database_span_per_statement(visits: list[Visit]) -> None:
    requests: Counter[str] = Counter()
    queries: Counter[bytes] = Counter()
    servers: dict[bytes, str] = {}
    for batch in batches_of(visits):
        if batch.path != "/v1/traces":
            continue
        (resource_spans,) = ExportTraceServiceRequest.FromString(batch.body).resource_spans
        for span in resource_spans.scope_spans[0].spans:
            assert span.start_time_unix_nano < span.end_time_unix_nano
            if span.kind == span.SPAN_KIND_SERVER:
                servers[span.span_id] = span.name
                requests[span.name] += 1
            else:
                queries[span.parent_span_id] += 1
    assert requests["POST /sign-up"] == pytest.approx(len(visits) * 0.5, rel=0.06)
    expected = {f"POST {step}": len(statements) for step, statements in STATEMENTS.items()}
    assert set(servers.values()) == set(expected)
    assert all(queries[span_id] == expected[name] for span_id, name in servers.items())


def test_each_trace_request_has_one_version_and_versions_follow_the_deploys(visits: list[Visit]) -> None:
    versions = []
    for batch in batches_of(visits):
        if batch.path == "/v1/traces":
            (resource_spans,) = ExportTraceServiceRequest.FromString(batch.body).resource_spans
            starts = [span.start_time_unix_nano / 1e9 for span in resource_spans.scope_spans[0].spans]
            attributes = {pair.key: pair.value.string_value for pair in resource_spans.resource.attributes}
            versions.append(attributes["service.version"])
            cut = NOW - 2 * DAY_SECONDS
            assert min(starts) > cut if versions[-1] == "new" else max(starts) < cut + 60
    assert versions == sorted(versions, reverse=True)
    assert set(versions) == {"old", "new"}


async def test_the_import_sends_and_counts_every_batch(visits: list[Visit], received: Received) -> None:
    reports: list[int] = []
    total = await import_history(
        received.url, "key", iter(batches_of(visits)), lambda so_far: reports.append(so_far.events)
    )
    assert total.visits == len(visits)
    assert total.events == len(received.events) == reports[-1]
    assert total == ImportCounts(
        total.visits, sum(len(visit.answers) for visit in visits), sum(b.counts.spans for b in batches_of(visits))
    )
