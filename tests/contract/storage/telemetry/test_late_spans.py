from __future__ import annotations

from storage.telemetry.protocol import COARSE_SECONDS, TelemetryStore
from tests.contract.storage.telemetry.records import (
    DAY,
    ENDPOINT,
    NOW,
    Clock,
    endpoint_totals,
    request_spans,
    roll_up_all,
)


def queries_of_requests(store: TelemetryStore) -> list[int]:
    return [sample.query_count for sample in store.request_samples("shop", ENDPOINT, since=0, until=NOW + DAY)]


def test_late_database_spans_are_counted_in_the_bucket_of_their_request(store: TelemetryStore, clock: Clock) -> None:
    late = request_spans("t1", NOW, queries=4)
    store.append_spans([*late[:1], *late[4:], *request_spans("t2", NOW + 20, queries=2)])
    roll_up_all(store)
    assert endpoint_totals(store) == ([1, 1], [1, 2])
    clock.now = NOW + 60
    store.append_spans(late[1:3])
    roll_up_all(store, now=NOW + 90)
    assert endpoint_totals(store) == ([1, 1], [3, 2])
    clock.now = NOW + 120
    store.append_spans(late)
    roll_up_all(store, now=NOW + 150)
    assert endpoint_totals(store) == ([1, 1], [4, 2])
    assert endpoint_totals(store, COARSE_SECONDS) == ([2], [6])
    assert queries_of_requests(store) == [2, 4]
    (series,) = store.endpoint_series(since=0.0, until=NOW + DAY, bucket_seconds=10)
    assert series.duration_histogram.sum(axis=1).tolist() == [1, 1]
    assert series.error_count.tolist() == [0, 0]


def test_a_late_span_between_a_request_and_its_queries_connects_them(store: TelemetryStore, clock: Clock) -> None:
    *queries, handler, server = request_spans("t1", NOW, queries=3)
    store.append_spans([*queries, server])
    roll_up_all(store)
    assert endpoint_totals(store) == ([1], [0])
    clock.now = NOW + 60
    store.append_spans([handler])
    roll_up_all(store, now=NOW + 90)
    assert endpoint_totals(store) == ([1], [3])


def test_spans_rolled_up_in_small_passes_count_each_query_once(store: TelemetryStore) -> None:
    spans = [span for number in range(5) for span in request_spans(f"t{number}", NOW, queries=number)]
    store.append_spans([*spans[::2], *spans[1::2]])
    roll_up_all(store, limit=2)
    assert endpoint_totals(store) == ([5], [10])


def test_a_partly_expired_trace_keeps_its_query_count(store: TelemetryStore, clock: Clock) -> None:
    *queries, handler, server = request_spans("t1", NOW, queries=3)
    store.append_spans([*queries, handler])
    clock.now = NOW + 3600
    store.append_spans([server])
    roll_up_all(store, now=clock.now + 5)
    assert queries_of_requests(store) == [3]
    clock.now = NOW + 3 * 3600
    store.expire(now=clock.now)
    store.append_spans(request_spans("t1", NOW, queries=1)[:1])
    roll_up_all(store, now=clock.now + 5)
    assert queries_of_requests(store) == [3]
