from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np
import pytest

from detection.funnels.attempts import attempts
from detection.types import (
    DELAY_EDGES_SECONDS,
    DURATION_EDGES_MS,
    QUERY_EDGES,
    Event,
    FunnelDefinition,
    FunnelProgress,
    LogRecord,
    SpanKind,
)
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS, RolledUp, TelemetryStore, WholeUntil
from tests.contract.storage.telemetry.records import (
    DAY,
    ENDPOINT,
    FUNNEL,
    NOW,
    STEPS,
    Clock,
    endpoint_totals,
    entries_by_segment,
    make_event,
    make_span,
    reached_by_bucket,
    request_spans,
    roll_up_all,
    visit,
)


def test_a_roll_up_counts_entries_steps_and_delays_of_everyone_and_of_each_segment(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, *STEPS, country="de"))
    store.append_events(visit("u2", NOW + 3, "view", "cart", country="fr"))
    store.append_events(visit("u3", NOW + 15, "view", device="ios"))
    assert store.roll_up([FUNNEL], now=NOW + 60) == RolledUp(events=6, spans=0)
    assert reached_by_bucket(store) == {NOW: (2, 2, 1), NOW + 10: (1, 0, 0)}
    assert reached_by_bucket(store, COARSE_SECONDS) == {NOW: (3, 2, 1)}
    assert entries_by_segment(store) == {
        (None, None): 3,
        ("country", "de"): 1,
        ("country", "fr"): 1,
        ("device", "ios"): 1,
    }
    everyone = store.funnel_series(1, since=NOW, until=NOW + 10, bucket_seconds=FINE_FUNNEL_SECONDS)[0]
    delay_bin = int(np.flatnonzero(everyone.converted_by_delay[0])[0])
    assert DELAY_EDGES_SECONDS[delay_bin - 1] < 20.0 <= DELAY_EDGES_SECONDS[delay_bin]


def test_the_order_of_arrival_and_the_size_of_passes_do_not_change_what_is_counted(
    store: TelemetryStore,
) -> None:
    randomness = random.Random(5)
    events = [
        make_event(
            randomness.choice(STEPS), f"u{randomness.randrange(12)}", NOW + randomness.randrange(5000), str(number)
        )
        for number in range(400)
    ]
    randomness.shuffle(events)
    for start in range(0, len(events), 37):
        store.append_events(events[start : start + 37])
        store.roll_up([FUNNEL], now=NOW + 6000, limit=randomness.choice([1, 20, 1000]))
    roll_up_all(store, now=NOW + 6000, limit=50)
    expected: dict[float, list[int]] = {}
    for user in {event.user_id for event in events}:
        for attempt in attempts(FUNNEL, [event for event in events if event.user_id == user]):
            row = expected.setdefault(attempt.entered_at // 10 * 10, [0, 0, 0])
            for step in range(len(attempt.reached_at)):
                row[step] += 1
    assert reached_by_bucket(store) == {start: tuple(row) for start, row in expected.items()}


def test_part_of_a_batch_counts_the_entries_that_it_takes_whatever_came_of_them(store: TelemetryStore) -> None:
    visits = [visit(f"u{number}", NOW, *STEPS[: 1 + 2 * (number % 2)]) for number in range(300)]
    order = random.Random(3)
    store.append_events([replace(event, event_id=order.randbytes(8).hex()) for events in visits for event in events])
    store.roll_up([FUNNEL], now=NOW + 60, limit=200)
    entered, _, paid = reached_by_bucket(store)[NOW]
    # Of the 600 events, a third is taken. Those who pay have three of four events, but no more entries than the others.
    assert 70 < entered < 130
    assert 0.4 < paid / entered < 0.6
    roll_up_all(store, now=NOW + 60)
    assert reached_by_bucket(store) == {NOW: (300, 150, 150)}


def test_a_late_event_counts_in_the_bucket_in_which_it_happened(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, "view"))
    roll_up_all(store)
    store.append_events([make_event("cart", "u1", NOW + 20)])
    store.append_events(visit("u2", NOW - 1000, "view"))
    roll_up_all(store)
    assert reached_by_bucket(store) == {NOW - 1000: (1, 0, 0), NOW: (1, 1, 0)}


def test_rolling_up_twice_counts_once(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, *STEPS))
    store.append_spans(request_spans("t1", NOW, queries=3))
    roll_up_all(store)
    assert store.roll_up([FUNNEL], now=NOW + 60) == RolledUp(0, 0)
    assert reached_by_bucket(store) == {NOW: (1, 1, 1)}
    assert endpoint_totals(store) == ([1], [3])


def test_a_roll_up_that_fails_half_way_changes_nothing_and_the_next_one_counts_all(
    store: TelemetryStore, make_store: Callable[..., TelemetryStore]
) -> None:
    def failing_reader(funnel: FunnelDefinition, events: Sequence[Event]) -> Sequence[FunnelProgress]:
        if events[0].user_id == "u2":
            raise RuntimeError("killed")
        return attempts(funnel, events)

    store.append_events(visit("u1", NOW, *STEPS) + visit("u2", NOW, *STEPS))
    store.append_spans(request_spans("t1", NOW, queries=3))
    with pytest.raises(RuntimeError, match="killed"):
        make_store(failing_reader).roll_up([FUNNEL], now=NOW + 5)
    assert store.funnel_series(1, since=0, until=NOW + DAY, bucket_seconds=10) == []
    roll_up_all(store)
    assert (reached_by_bucket(store), endpoint_totals(store)) == ({NOW: (2, 2, 2)}, ([1], [3]))


def test_concurrent_roll_ups_count_each_record_once(make_store: Callable[..., TelemetryStore]) -> None:
    store = make_store()
    for user in range(50):
        store.append_events(visit(f"u{user}", NOW, *STEPS))
    store.append_spans([span for number in range(50) for span in request_spans(f"t{number}", NOW, queries=2)])
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: make_store().roll_up([FUNNEL], now=NOW + 5, limit=60), range(8)))
    assert sum(rolled.events for rolled in taken) == 150
    assert (reached_by_bucket(store), endpoint_totals(store)) == ({NOW: (50, 50, 50)}, ([50], [100]))


def test_events_appended_while_roll_ups_run_are_each_counted_once(store: TelemetryStore, clock: Clock) -> None:
    def append(writer: int) -> None:
        for number in range(15):
            store.append_events(visit(f"w{writer}-{number}", NOW, *STEPS))

    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(append, number) for number in range(4)]
        while not all(writer.done() for writer in writers):
            store.roll_up([FUNNEL], now=NOW + 5)
            # Pause between passes, as a worker does: SQLite's waiting writers only poll, and would never find it free.
            wait(writers, timeout=0.01)
    for writer in writers:
        writer.result()
    roll_up_all(store)
    assert reached_by_bucket(store) == {NOW: (60, 60, 60)}


def test_a_new_funnel_is_filled_from_the_hot_store_without_changing_the_others(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, *STEPS) + visit("u2", NOW, "view"))
    roll_up_all(store)
    before = reached_by_bucket(store)
    second = FunnelDefinition(2, "Short", FUNNEL.steps[:2], 600.0, 7)
    roll_up_all(store, (FUNNEL, second), limit=2)
    (everyone,) = store.funnel_series(2, since=0, until=NOW + DAY, bucket_seconds=10)
    assert (everyone.reached.tolist(), reached_by_bucket(store)) == ([[2, 1]], before)


def test_a_dimension_has_at_most_twenty_values_the_most_frequent_and_the_rest_are_other(
    store: TelemetryStore,
) -> None:
    for number in range(30):
        for copy in range(2 if number >= 10 else 1):
            store.append_events(visit(f"u{number}-{copy}", NOW, "view", country=f"c{number:02}"))
    roll_up_all(store)
    found = {value: count for (dimension, value), count in entries_by_segment(store).items() if dimension == "country"}
    assert found == {f"c{number}": 2 for number in range(10, 30)} | {"other": 10}


def test_an_attempt_counted_as_other_is_subtracted_from_other_when_it_advances(store: TelemetryStore) -> None:
    store.append_events([event for n in range(21) for event in visit(f"u{n}", NOW, "view", country=f"c{n:02}")])
    roll_up_all(store)
    for number in range(21):
        store.append_events([make_event("cart", f"u{number}", NOW + 10, country=f"c{number:02}")])
    roll_up_all(store)
    found = store.funnel_series(1, since=0, until=NOW + DAY, bucket_seconds=COARSE_SECONDS)
    assert len(found) == 22
    assert [series.reached.tolist() for series in found[1:]] == [[[1, 1, 0]]] * 21


def test_a_requests_queries_are_the_database_spans_below_it_down_to_the_next_request(
    store: TelemetryStore,
) -> None:
    outer = make_span("outer", None, SpanKind.SERVER)
    inner = make_span("inner", "call", SpanKind.SERVER, endpoint="GET /stock", service="stock")
    below = [
        make_span("q1", "outer", SpanKind.DATABASE),
        make_span("handler", "outer", SpanKind.OTHER),
        make_span("q2", "handler", SpanKind.DATABASE),
        make_span("call", "handler", SpanKind.OTHER),
        make_span("q3", "inner", SpanKind.DATABASE),
        make_span("stray", "missing", SpanKind.DATABASE),
        make_span("round", "about", SpanKind.OTHER),
        make_span("about", "round", SpanKind.OTHER),
        make_span("q4", "round", SpanKind.DATABASE),
    ]
    store.append_spans([*below, inner, outer])
    roll_up_all(store)
    (checkout,) = store.request_samples("shop", ENDPOINT, since=NOW, until=NOW + 1)
    (stock,) = store.request_samples("stock", "GET /stock", since=NOW, until=NOW + 1)
    assert (checkout.query_count, stock.query_count) == (2, 1)


def test_a_request_waits_two_seconds_for_database_spans_in_another_batch(store: TelemetryStore, clock: Clock) -> None:
    *database, handler, server = request_spans("t1", NOW, queries=3)
    store.append_spans([database[0]])
    clock.now += 10
    store.roll_up([], now=clock.now)
    store.append_spans([handler, server])
    clock.now += 1
    store.append_spans(database[1:])
    assert store.roll_up([], now=clock.now) == RolledUp(0, 0)
    clock.now += 1
    assert store.roll_up([], now=clock.now) == RolledUp(0, 2)
    assert endpoint_totals(store) == ([1], [3])


def test_endpoint_series_hold_counts_errors_and_histograms_by_the_time_requests_began(store: TelemetryStore) -> None:
    store.append_spans(request_spans("t1", NOW, queries=0, duration_ms=0.5))
    store.append_spans(request_spans("t2", NOW + 1, queries=25, duration_ms=1e9, is_error=True))
    roll_up_all(store)
    store.append_spans(request_spans("t3", NOW + 2, queries=1, duration_ms=100.0))
    store.append_spans(request_spans("t4", NOW + 10, queries=1))
    store.append_spans([make_span("x", None, SpanKind.SERVER, "t5", endpoint=None, name="GET")])
    roll_up_all(store)
    checkout, unnamed = sorted(
        store.endpoint_series(since=NOW, until=NOW + 20, bucket_seconds=10), key=lambda series: -len(series.endpoint)
    )
    assert (unnamed.endpoint, checkout.service) == ("GET", "shop")
    assert checkout.bucket_starts.tolist() == [NOW, NOW + 10]
    assert checkout.request_count.tolist() == [3, 1]
    assert checkout.error_count.tolist() == [1, 0]
    assert checkout.query_sum.tolist() == [26, 1]
    durations = np.searchsorted(DURATION_EDGES_MS, [0.5, 1e9, 100.0])
    assert checkout.duration_histogram[0].tolist() == np.bincount(durations, minlength=131).tolist()
    queries = np.searchsorted(QUERY_EDGES, [0, 25, 1])
    assert checkout.query_histogram[0].tolist() == np.bincount(queries, minlength=len(QUERY_EDGES) + 1).tolist()


def test_a_roll_up_to_a_high_water_ends_although_records_keep_arriving(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, *STEPS))
    goal = store.high_water()
    for number in range(50):
        store.append_events(visit(f"later{number}", NOW, *STEPS))
        if not store.roll_up([FUNNEL], now=NOW + 60, up_to=goal, limit=1).events:
            break
    assert number == 3
    assert reached_by_bucket(store) == {NOW: (1, 1, 1)}


def test_the_rollups_are_whole_until_the_arrival_of_the_oldest_record_that_waits(
    store: TelemetryStore, clock: Clock
) -> None:
    store.append_events(visit("u1", NOW, "view"))
    clock.now += 30
    goal = store.high_water()
    store.append_events(visit("u2", NOW, "view"))
    store.append_logs([LogRecord("l1", "shop", None, NOW, "INFO", "hello", None, {})])
    later = NOW + 60
    assert store.whole_until(now=later) == WholeUntil(events=NOW, spans=later, points=later, logs=NOW + 30)
    assert store.whole_until(now=later, up_to=goal) == WholeUntil(events=NOW, spans=later, points=later, logs=later)
    store.roll_up([FUNNEL], now=later, up_to=goal)
    assert store.whole_until(now=later).events == NOW + 30
    roll_up_all(store, now=later)
    assert store.whole_until(now=later) == WholeUntil(later, later, later, later)


def test_a_span_that_still_settles_does_not_make_the_rollups_late(store: TelemetryStore) -> None:
    store.append_spans(request_spans("t1", NOW, queries=1))
    assert store.whole_until(now=NOW + 1).spans == NOW + 1
    assert store.whole_until(now=NOW + 10).spans == NOW


def test_the_history_of_a_new_funnel_does_not_delay_the_others(store: TelemetryStore) -> None:
    for user in range(40):
        store.append_events(visit(f"u{user}", NOW, *STEPS))
    roll_up_all(store)
    new = replace(FUNNEL, funnel_id=2, name="New")
    store.append_events(visit("newest", NOW, *STEPS))
    assert store.filling([FUNNEL, new]) == {2}
    assert store.roll_up([FUNNEL, new], now=NOW + 5, limit=6).events == 6
    assert reached_by_bucket(store) == {NOW: (41, 41, 41)}
    assert store.filling([FUNNEL, new]) == {2}
    roll_up_all(store, [FUNNEL, new])
    assert store.filling([FUNNEL, new]) == frozenset()
    everyone = store.funnel_series(2, since=0.0, until=NOW + DAY, bucket_seconds=COARSE_SECONDS)[0]
    assert everyone.reached.tolist() == [[41, 41, 41]]


def test_a_new_funnel_is_full_at_once_when_the_events_have_expired(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW - DAY, *STEPS))
    roll_up_all(store)
    store.expire(now=NOW + 2 * DAY)
    new = replace(FUNNEL, funnel_id=2, name="New")
    roll_up_all(store, [FUNNEL, new])
    assert store.filling([FUNNEL, new]) == frozenset()
