"""What every TelemetryStore promises; SqlTelemetry is the only one so far, on both databases."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import Engine

from detection.funnels import attempts
from detection.types import (
    DELAY_EDGES_SECONDS,
    DURATION_EDGES_MS,
    QUERY_EDGES,
    Event,
    FunnelDefinition,
    FunnelProgress,
    FunnelStep,
    LogRecord,
    Span,
    SpanKind,
)
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS, Appended, FunnelReader, RolledUp
from storage.telemetry.sql import SqlTelemetry

NOW = 1_770_465_600.0  # 2026-02-07 12:00 UTC, where a fine and a coarse bucket start
DAY = 86_400.0
STEPS = ("view", "cart", "pay")
FUNNEL = FunnelDefinition(1, "Checkout", tuple(FunnelStep(name, name) for name in STEPS), 600.0, 7)
ENDPOINT = "POST /checkout"


class Clock:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_store(engine: Engine, clock: Clock) -> Callable[..., SqlTelemetry]:
    def make(funnel_reader: FunnelReader = attempts) -> SqlTelemetry:
        return SqlTelemetry(engine, funnel_reader=funnel_reader, segment_dimensions=["country", "device"], clock=clock)

    return make


@pytest.fixture
def store(make_store: Callable[..., SqlTelemetry]) -> SqlTelemetry:
    return make_store()


def _event(name: str, user: str = "u1", at: float = NOW, event_id: str | None = None, **properties: str) -> Event:
    return Event(event_id or f"{user}:{name}:{at}", name, user, at, properties)


def _visit(user: str, at: float, *steps: str, **properties: str) -> list[Event]:
    """The steps ten seconds apart."""
    return [_event(step, user, at + 10 * index, **properties) for index, step in enumerate(steps)]


def _span(span_id: str, parent: str | None, kind: SpanKind, trace: str = "t1", at: float = NOW, **more: object) -> Span:
    values: dict[str, object] = {
        "trace_id": trace,
        "span_id": span_id,
        "parent_span_id": parent,
        "kind": kind,
        "name": "span",
        "service": "shop",
        "version": "1.0",
        "started_at": at,
        "duration_ms": 12.0,
        "is_error": False,
        "endpoint": ENDPOINT if kind == SpanKind.SERVER else None,
    }
    return Span(**(values | more))  # type: ignore[arg-type]


def _request(trace: str, at: float, queries: int, **more: object) -> list[Span]:
    """A server span over a handler over its database spans, in the order in which exporters send them."""
    statement = "SELECT * FROM items WHERE id = 17"
    database = [
        _span(f"{trace}-q{index}", f"{trace}-h", SpanKind.DATABASE, trace, at, statement=statement)
        for index in range(queries)
    ]
    handler = _span(f"{trace}-h", f"{trace}-s", SpanKind.OTHER, trace, at)
    return [*database, handler, _span(f"{trace}-s", None, SpanKind.SERVER, trace, at, **more)]


def _roll_up_all(
    store: SqlTelemetry, funnels: Sequence[FunnelDefinition] = (FUNNEL,), now: float = NOW + 5, limit: int = 50_000
) -> None:
    for _ in range(1000):
        if store.roll_up(funnels, now=now, limit=limit) == RolledUp(0, 0):
            return
    raise AssertionError("the roll-up never comes to an end")


def _entries(store: SqlTelemetry, bucket_seconds: int = FINE_FUNNEL_SECONDS) -> dict[float, tuple[int, ...]]:
    """Everyone's reached counts by bucket."""
    everyone = store.funnel_series(1, since=0.0, until=NOW + DAY, bucket_seconds=bucket_seconds)[0]
    assert everyone.dimension is None
    assert everyone.entries.tolist() == everyone.reached[:, 0].tolist()
    assert everyone.converted_by_delay.sum(axis=1).tolist() == everyone.reached[:, -1].tolist()
    return dict(zip(everyone.bucket_starts.tolist(), map(tuple, everyone.reached.tolist()), strict=True))


def _segments(store: SqlTelemetry) -> dict[tuple[str | None, str | None], int]:
    found = store.funnel_series(1, since=0.0, until=NOW + DAY, bucket_seconds=COARSE_SECONDS)
    return {(series.dimension, series.value): int(series.entries.sum()) for series in found}


def _endpoint(store: SqlTelemetry, bucket_seconds: int = 10) -> tuple[list[int], list[int]]:
    """Request counts and query sums by bucket of the only endpoint."""
    (series,) = store.endpoint_series(since=0.0, until=NOW + DAY, bucket_seconds=bucket_seconds)
    assert series.duration_histogram.shape == (len(series.bucket_starts), len(DURATION_EDGES_MS) + 1)
    assert series.query_histogram.sum(axis=1).tolist() == series.request_count.tolist()
    return series.request_count.tolist(), series.query_sum.tolist()


def test_records_with_a_known_id_are_counted_as_duplicates_and_not_stored(store: SqlTelemetry) -> None:
    event, span = _event("view"), _span("s", None, SpanKind.SERVER)
    log = LogRecord("l1", "shop", "1.0", NOW, "ERROR", "boom", "t1", {"code": 7})
    for append, record in ((store.append_events, event), (store.append_spans, span), (store.append_logs, log)):
        assert append([record, record]) == Appended(1, 1)  # type: ignore[operator]
        assert append([record]) == Appended(0, 1)  # type: ignore[operator]
        assert append([]) == Appended(0, 0)  # type: ignore[operator]
    assert store.recent_events() == [event]
    assert store.log_samples(since=NOW, until=NOW + 1) == [log]


def test_spans_of_two_traces_may_share_a_span_id(store: SqlTelemetry) -> None:
    spans = [_span("s", None, SpanKind.SERVER, trace) for trace in ("t1", "t2")]
    assert store.append_spans(spans) == Appended(2, 0)


def test_text_that_no_database_takes_does_not_lose_the_batch_it_came_in(store: SqlTelemetry) -> None:
    bad = Event("nul\x00", "view\x00", "half \ud800 pair", NOW, {"page": "/\x00", "name": "\udc00"})
    long = [_event("view", user=letter * 10_000 + str(number)) for letter in "ü€" for number in range(2)]
    assert store.append_events([bad, *long, _event("view")]) == Appended(6, 0)
    assert len({event.user_id for event in store.recent_events()}) == 6
    broken = _span("s\x00", None, SpanKind.SERVER, service="\x00", name="\ud800", statement="SELECT '\x00'")
    assert store.append_spans([broken, _span("ok", None, SpanKind.SERVER)]) == Appended(2, 0)
    assert store.append_logs([LogRecord("l\x00", "s", None, NOW, "\x00", "\ud800", None, {"\x00": "\x00"})]).accepted
    _roll_up_all(store)


def test_a_roll_up_counts_entries_steps_and_delays_of_everyone_and_of_each_segment(store: SqlTelemetry) -> None:
    store.append_events(_visit("u1", NOW, *STEPS, country="de"))
    store.append_events(_visit("u2", NOW + 3, "view", "cart", country="fr"))
    store.append_events(_visit("u3", NOW + 15, "view", device="ios"))
    assert store.roll_up([FUNNEL], now=NOW + 60) == RolledUp(events=6, spans=0)
    assert _entries(store) == {NOW: (2, 2, 1), NOW + 10: (1, 0, 0)}
    assert _entries(store, COARSE_SECONDS) == {NOW: (3, 2, 1)}
    assert _segments(store) == {
        (None, None): 3,
        ("country", "de"): 1,
        ("country", "fr"): 1,
        ("device", "ios"): 1,
    }
    everyone = store.funnel_series(1, since=NOW, until=NOW + 10, bucket_seconds=FINE_FUNNEL_SECONDS)[0]
    delay_bin = int(np.flatnonzero(everyone.converted_by_delay[0])[0])
    assert DELAY_EDGES_SECONDS[delay_bin - 1] < 20.0 <= DELAY_EDGES_SECONDS[delay_bin]


def test_the_order_of_arrival_and_the_size_of_passes_do_not_change_what_is_counted(
    store: SqlTelemetry,
) -> None:
    randomness = random.Random(5)
    events = [
        _event(randomness.choice(STEPS), f"u{randomness.randrange(12)}", NOW + randomness.randrange(5000), str(number))
        for number in range(400)
    ]
    randomness.shuffle(events)
    for start in range(0, len(events), 37):
        store.append_events(events[start : start + 37])
        store.roll_up([FUNNEL], now=NOW + 6000, limit=randomness.choice([1, 20, 1000]))
    _roll_up_all(store, now=NOW + 6000, limit=50)
    expected: dict[float, list[int]] = {}
    for user in {event.user_id for event in events}:
        for attempt in attempts(FUNNEL, [event for event in events if event.user_id == user]):
            row = expected.setdefault(attempt.entered_at // 10 * 10, [0, 0, 0])
            for step in range(len(attempt.reached_at)):
                row[step] += 1
    assert _entries(store) == {start: tuple(row) for start, row in expected.items()}


def test_a_late_event_counts_in_the_bucket_in_which_it_happened(store: SqlTelemetry) -> None:
    store.append_events(_visit("u1", NOW, "view"))
    _roll_up_all(store)
    store.append_events([_event("cart", "u1", NOW + 20)])
    store.append_events(_visit("u2", NOW - 1000, "view"))
    _roll_up_all(store)
    assert _entries(store) == {NOW - 1000: (1, 0, 0), NOW: (1, 1, 0)}


def test_rolling_up_twice_counts_once(store: SqlTelemetry) -> None:
    store.append_events(_visit("u1", NOW, *STEPS))
    store.append_spans(_request("t1", NOW, queries=3))
    _roll_up_all(store)
    assert store.roll_up([FUNNEL], now=NOW + 60) == RolledUp(0, 0)
    assert _entries(store) == {NOW: (1, 1, 1)}
    assert _endpoint(store) == ([1], [3])


def test_a_roll_up_that_dies_half_way_leaves_nothing_behind_and_the_next_one_counts_all(
    store: SqlTelemetry, make_store: Callable[..., SqlTelemetry]
) -> None:
    def dying_reader(funnel: FunnelDefinition, events: Sequence[Event]) -> Sequence[FunnelProgress]:
        if events[0].user_id == "u2":
            raise RuntimeError("killed")
        return attempts(funnel, events)

    store.append_events(_visit("u1", NOW, *STEPS) + _visit("u2", NOW, *STEPS))
    store.append_spans(_request("t1", NOW, queries=3))
    with pytest.raises(RuntimeError, match="killed"):
        make_store(dying_reader).roll_up([FUNNEL], now=NOW + 5)
    assert store.funnel_series(1, since=0, until=NOW + DAY, bucket_seconds=10) == []
    _roll_up_all(store)
    assert (_entries(store), _endpoint(store)) == ({NOW: (2, 2, 2)}, ([1], [3]))


def test_two_roll_ups_at_once_count_once(make_store: Callable[..., SqlTelemetry]) -> None:
    store = make_store()
    for user in range(50):
        store.append_events(_visit(f"u{user}", NOW, *STEPS))
    store.append_spans([span for number in range(50) for span in _request(f"t{number}", NOW, queries=2)])
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda _: make_store().roll_up([FUNNEL], now=NOW + 5, limit=60), range(8)))
    assert sum(rolled.events for rolled in taken) == 150
    assert (_entries(store), _endpoint(store)) == ({NOW: (50, 50, 50)}, ([50], [100]))


def test_events_appended_while_roll_ups_run_are_each_counted_once(store: SqlTelemetry, clock: Clock) -> None:
    def append(writer: int) -> None:
        for number in range(15):
            store.append_events(_visit(f"w{writer}-{number}", NOW, *STEPS))

    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(append, number) for number in range(4)]
        while not all(writer.done() for writer in writers):
            store.roll_up([FUNNEL], now=NOW + 5)
    for writer in writers:
        writer.result()
    _roll_up_all(store)
    assert _entries(store) == {NOW: (60, 60, 60)}


def test_a_funnel_made_today_is_filled_from_the_hot_store_without_touching_the_others(store: SqlTelemetry) -> None:
    store.append_events(_visit("u1", NOW, *STEPS) + _visit("u2", NOW, "view"))
    _roll_up_all(store)
    before = _entries(store)
    second = FunnelDefinition(2, "Short", FUNNEL.steps[:2], 600.0, 7)
    _roll_up_all(store, (FUNNEL, second), limit=2)
    (everyone,) = store.funnel_series(2, since=0, until=NOW + DAY, bucket_seconds=10)
    assert (everyone.reached.tolist(), _entries(store)) == ([[2, 1]], before)


def test_a_dimension_has_twenty_values_at_most_the_commonest_first_and_the_rest_are_other(store: SqlTelemetry) -> None:
    for number in range(30):
        for visit in range(2 if number >= 10 else 1):
            store.append_events(_visit(f"u{number}-{visit}", NOW, "view", country=f"c{number:02}"))
    _roll_up_all(store)
    found = {value: count for (dimension, value), count in _segments(store).items() if dimension == "country"}
    assert found == {f"c{number}": 2 for number in range(10, 30)} | {"other": 10}


def test_an_attempt_counted_as_other_is_taken_back_from_other_when_it_goes_further(store: SqlTelemetry) -> None:
    store.append_events([event for n in range(21) for event in _visit(f"u{n}", NOW, "view", country=f"c{n:02}")])
    _roll_up_all(store)
    for number in range(21):
        store.append_events([_event("cart", f"u{number}", NOW + 10, country=f"c{number:02}")])
    _roll_up_all(store)
    found = store.funnel_series(1, since=0, until=NOW + DAY, bucket_seconds=COARSE_SECONDS)
    assert len(found) == 22
    assert [series.reached.tolist() for series in found[1:]] == [[[1, 1, 0]]] * 21


def test_a_requests_queries_are_the_database_spans_below_it_up_to_the_next_server_span(store: SqlTelemetry) -> None:
    outer = _span("outer", None, SpanKind.SERVER)
    inner = _span("inner", "call", SpanKind.SERVER, endpoint="GET /stock", service="stock")
    below = [
        _span("q1", "outer", SpanKind.DATABASE),
        _span("handler", "outer", SpanKind.OTHER),
        _span("q2", "handler", SpanKind.DATABASE),
        _span("call", "handler", SpanKind.OTHER),
        _span("q3", "inner", SpanKind.DATABASE),
        _span("stray", "missing", SpanKind.DATABASE),
        _span("round", "about", SpanKind.OTHER),
        _span("about", "round", SpanKind.OTHER),
        _span("q4", "round", SpanKind.DATABASE),
    ]
    store.append_spans([*below, inner, outer])
    _roll_up_all(store)
    (checkout,) = store.request_samples("shop", ENDPOINT, since=NOW, until=NOW + 1)
    (stock,) = store.request_samples("stock", "GET /stock", since=NOW, until=NOW + 1)
    assert (checkout.query_count, stock.query_count) == (2, 1)


def test_a_server_span_waits_two_seconds_for_database_spans_in_another_batch(store: SqlTelemetry, clock: Clock) -> None:
    *database, handler, server = _request("t1", NOW, queries=3)
    store.append_spans([database[0]])
    clock.now += 10
    store.roll_up([], now=clock.now)
    store.append_spans([handler, server])
    clock.now += 1
    store.append_spans(database[1:])
    assert store.roll_up([], now=clock.now) == RolledUp(0, 0)
    clock.now += 1
    assert store.roll_up([], now=clock.now) == RolledUp(0, 2)
    assert _endpoint(store) == ([1], [3])


def test_endpoint_series_hold_counts_errors_and_histograms_by_the_time_requests_began(store: SqlTelemetry) -> None:
    store.append_spans(_request("t1", NOW, queries=0, duration_ms=0.5))
    store.append_spans(_request("t2", NOW + 1, queries=25, duration_ms=1e9, is_error=True))
    _roll_up_all(store)
    store.append_spans(_request("t3", NOW + 2, queries=1, duration_ms=100.0))
    store.append_spans(_request("t4", NOW + 10, queries=1))
    store.append_spans([_span("x", None, SpanKind.SERVER, "t5", endpoint=None, name="GET")])
    _roll_up_all(store)
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


def test_samples_are_newest_first_within_their_time_and_limit(store: SqlTelemetry) -> None:
    for number in range(5):
        store.append_spans(_request(f"t{number}", NOW + number, queries=number))
    _roll_up_all(store, now=NOW + 60)
    found = store.request_samples("shop", ENDPOINT, since=NOW + 1, until=NOW + 4, limit=2)
    assert [(sample.trace_id, sample.query_count) for sample in found] == [("t3", 3), ("t2", 2)]


def test_statements_are_counted_per_request_without_their_literals(store: SqlTelemetry) -> None:
    for trace, queries in (("t1", 3), ("t2", 5)):
        store.append_spans(_request(trace, NOW, queries=queries))
    cart = _span(
        "c", "t1-s", SpanKind.DATABASE, "t1", statement="UPDATE cart\n  SET note = 'it''s 5' WHERE id IN (1, 2)"
    )
    elsewhere = _request("t9", NOW, queries=4, endpoint="GET /")
    store.append_spans([cart, *elsewhere])
    _roll_up_all(store)
    first, second = store.statement_counts("shop", ENDPOINT, since=NOW, until=NOW + 1)
    assert (first.statement, first.runs, first.per_request) == ("SELECT * FROM items WHERE id = ?", 8, 4.0)
    assert (second.statement, second.runs) == ("UPDATE cart SET note = ? WHERE id IN (?, …)", 1)
    assert store.statement_counts("shop", "GET /nothing", since=NOW, until=NOW + 1) == []


def test_versions_are_told_by_when_their_first_request_began(store: SqlTelemetry) -> None:
    for number, version in enumerate(["2.0", "1.0", "2.0", None]):
        store.append_spans(_request(f"t{number}", NOW + 10 - number, queries=0, version=version))
    _roll_up_all(store, now=NOW + 60)
    assert store.versions_seen("shop", since=NOW, until=NOW + 60) == [("2.0", NOW + 8), ("1.0", NOW + 9)]


def test_logs_can_be_asked_for_by_service_and_least_severity(store: SqlTelemetry) -> None:
    levels = ["DEBUG", "info", "Warning", "ERROR", "FATAL"]
    store.append_logs([LogRecord(word, "shop", None, NOW + n, word, "", None) for n, word in enumerate(levels)])
    store.append_logs([LogRecord("other", "api", None, NOW, "ERROR", "", None)])
    found = store.log_samples(since=NOW, until=NOW + 10, service="shop", minimum_severity="WARN", limit=2)
    assert [record.severity for record in found] == ["FATAL", "ERROR"]
    assert len(store.log_samples(since=NOW, until=NOW + 10, minimum_severity="warning")) == 4


def test_recent_events_are_paged_newest_first_and_by_name(store: SqlTelemetry) -> None:
    store.append_events(_visit("u1", NOW, *STEPS) + _visit("u2", NOW + 5, *STEPS))
    assert [event.happened_at - NOW for event in store.recent_events(limit=2, offset=1)] == [20, 15]
    assert [event.user_id for event in store.recent_events(event="view")] == ["u2", "u1"]


def test_hot_records_go_two_hours_after_they_arrived_but_never_before_they_are_rolled_up(
    store: SqlTelemetry, clock: Clock
) -> None:
    store.append_events(_visit("u1", NOW - 7 * DAY, *STEPS))
    store.append_spans(_request("t1", NOW - 7 * DAY, queries=2))
    store.append_logs([LogRecord("l1", "shop", None, NOW - 7 * DAY, "INFO", "old", None)])
    clock.now += 3 * 3600
    assert store.expire(now=clock.now) == 1
    assert len(store.recent_events()) == 3
    _roll_up_all(store, now=clock.now)
    assert (_entries(store, COARSE_SECONDS), _endpoint(store, COARSE_SECONDS)) == (
        {NOW - 7 * DAY: (1, 1, 1)},
        ([1], [2]),
    )
    store.expire(now=clock.now)
    assert store.recent_events() == []
    assert store.request_samples("shop", ENDPOINT, since=0, until=NOW) == []
    assert _entries(store, COARSE_SECONDS) == {NOW - 7 * DAY: (1, 1, 1)}


def test_history_sent_again_soon_after_its_import_is_recognised(store: SqlTelemetry) -> None:
    history = _visit("u1", NOW - 7 * DAY, *STEPS)
    store.append_events(history)
    _roll_up_all(store)
    store.expire(now=NOW + 60)
    assert store.append_events(history) == Appended(0, 3)


def test_a_longer_funnel_window_keeps_events_longer(store: SqlTelemetry, clock: Clock) -> None:
    long = FunnelDefinition(1, "Long", FUNNEL.steps, 4 * 3600.0, 7)
    store.append_events(_visit("u1", NOW, "view"))
    _roll_up_all(store, (long,))
    store.expire(now=NOW + 4.4 * 3600)
    assert len(store.recent_events()) == 1
    store.expire(now=NOW + 4.6 * 3600)
    assert store.recent_events() == []


def test_numbers_of_dropped_records_are_not_given_out_again(store: SqlTelemetry, clock: Clock) -> None:
    store.append_events(_visit("u1", NOW, *STEPS))
    _roll_up_all(store)
    clock.now += DAY
    store.expire(now=clock.now)
    store.append_events(_visit("u2", NOW + DAY, "view"))
    assert store.roll_up([FUNNEL], now=clock.now) == RolledUp(1, 0)


def test_a_step_long_after_its_entry_was_dropped_leaves_what_was_counted_alone(
    store: SqlTelemetry, clock: Clock
) -> None:
    store.append_events(_visit("u1", NOW, "view", "cart"))
    _roll_up_all(store)
    clock.now += 2.5 * 3600
    store.append_events(_visit("u1", clock.now, "view"))
    _roll_up_all(store, now=clock.now)
    store.expire(now=clock.now)
    store.append_events([_event("pay", "u1", NOW + 30), *_visit("u1", clock.now + 5, "cart")])
    _roll_up_all(store, now=clock.now)
    assert _entries(store) == {NOW: (1, 1, 0), NOW + 2.5 * 3600: (1, 1, 0)}


def test_fine_buckets_are_kept_three_hours_and_coarse_ones_thirty_five_days(store: SqlTelemetry) -> None:
    store.append_events(_visit("u1", NOW, "view", country="de"))
    store.append_spans(_request("t1", NOW, queries=1))
    _roll_up_all(store)

    def lengths() -> list[int]:
        return [
            len(series[0].bucket_starts) if series else 0
            for size in (10, COARSE_SECONDS)
            for series in (
                store.funnel_series(1, since=0, until=NOW + DAY, bucket_seconds=size),
                store.endpoint_series(since=0, until=NOW + DAY, bucket_seconds=size),
            )
        ]

    store.expire(now=NOW + 2.9 * 3600)
    assert lengths() == [1, 1, 1, 1]
    store.expire(now=NOW + 3.1 * 3600)
    assert lengths() == [0, 0, 1, 1]
    store.expire(now=NOW + 36 * DAY)
    assert lengths() == [0, 0, 0, 0]


def test_a_segment_value_unseen_for_thirty_five_days_makes_room_for_another(store: SqlTelemetry, clock: Clock) -> None:
    store.append_events([event for n in range(20) for event in _visit(f"u{n}", NOW, "view", country=f"old{n}")])
    _roll_up_all(store)
    clock.now += 36 * DAY
    store.expire(now=clock.now)
    store.append_events(_visit("new", clock.now, "view", country="new"))
    _roll_up_all(store, now=clock.now)
    found = store.funnel_series(1, since=0, until=clock.now + 60, bucket_seconds=10)
    assert [(series.dimension, series.value) for series in found] == [(None, None), ("country", "new")]
