from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from detection.endpoints.intervals import quantile
from detection.types import DURATION_EDGES_MS, Event
from storage.errors import DatabaseUnavailableError
from storage.telemetry.hot.group_commit import GroupCommit
from storage.telemetry.protocol import Appended, EndpointTotals, TelemetryStore
from tests.contract.storage.telemetry.records import ENDPOINT, NOW, make_event, request_spans, roll_up_all


def test_each_group_gets_the_result_that_it_would_get_if_appended_alone(store: TelemetryStore) -> None:
    store.append_events([make_event("view", event_id="old")])
    fresh = [[make_event("view", event_id=f"fresh{n}")] for n in range(3)]
    assert store.append_event_groups(fresh) == [Appended(1, 0)] * 3
    mixed = [
        [make_event("view", event_id="b"), make_event("view", event_id="a")],
        [make_event("view", event_id="old"), make_event("view", event_id="a"), make_event("view", event_id="c")],
        [],
        [make_event("view", event_id="d"), make_event("view", event_id="d")],
    ]
    assert store.append_event_groups(mixed) == [Appended(2, 0), Appended(1, 2), Appended(0, 0), Appended(1, 1)]
    assert sorted(event.event_id for event in store.recent_events()) == sorted(
        ["old", "fresh0", "fresh1", "fresh2", "a", "b", "c", "d"]
    )


def test_endpoint_levels_agree_with_the_full_series(store: TelemetryStore) -> None:
    for number in range(40):
        store.append_spans(
            request_spans(f"t{number}", NOW - 30 + number % 3 * 10, queries=number % 4, duration_ms=float(number**2))
        )
    store.append_spans(request_spans("rare", NOW - 30, queries=1, endpoint="GET /rare"))
    roll_up_all(store, now=NOW + 5)
    (series,) = store.endpoint_series(since=NOW - 30, until=NOW, bucket_seconds=10, endpoints=[("shop", ENDPOINT)])
    assert series.request_count.tolist() == [14, 13, 13]
    p95 = quantile(series.duration_histogram.astype(np.float64), 0.95)
    found = store.endpoint_levels(series.bucket_starts.tolist(), bucket_seconds=10, minimum_requests=2)
    for place, levels in enumerate(found):
        assert levels.names == [("shop", ENDPOINT)]
        assert levels.request_count == series.request_count[place]
        assert levels.error_count == series.error_count[place]
        assert levels.query_sum == series.query_sum[place]
        assert levels.p95_bucket == np.searchsorted(DURATION_EDGES_MS, p95[place] - 1e-9)
    assert len(found) == 3
    (between,) = store.endpoint_levels([NOW - 25], bucket_seconds=10, minimum_requests=2)
    assert between.request_count == series.request_count[1]
    (empty,) = store.endpoint_levels([NOW + 60], bucket_seconds=10, minimum_requests=2)
    assert empty.names == []


def test_the_totals_of_a_bucket_are_the_sums_of_its_levels_and_change_when_a_request_is_added(
    store: TelemetryStore,
) -> None:
    for number in range(12):
        name = ENDPOINT if number % 3 else "GET /other"
        store.append_spans(request_spans(f"t{number}", NOW - 30 + number % 2, queries=number % 4, endpoint=name))
    store.append_spans(request_spans("rare", NOW - 30, queries=1, endpoint="GET /rare"))
    roll_up_all(store, now=NOW + 5)
    (levels,) = store.endpoint_levels([NOW - 30], bucket_seconds=10, minimum_requests=2)
    totals = store.endpoint_totals(NOW - 30, bucket_seconds=10, minimum_requests=2)
    assert (totals.endpoints, totals.requests) == (2, 12)
    assert totals.errors == levels.error_count.sum()
    assert totals.queries == levels.query_sum.sum()
    assert store.endpoint_totals(NOW + 60, bucket_seconds=10, minimum_requests=2) == EndpointTotals(0, 0, 0, 0)

    store.append_spans(request_spans("late", NOW - 29, queries=0))
    roll_up_all(store, now=NOW + 15)
    assert store.endpoint_totals(NOW - 30, bucket_seconds=10, minimum_requests=2).requests == 13


def test_the_delivery_lag_is_the_time_from_request_start_to_arrival(store: TelemetryStore) -> None:
    assert store.delivery_lag("shop", ENDPOINT, until=NOW) == 0.0
    for number in range(10):
        store.append_spans(request_spans(f"t{number}", NOW - 40 + number, queries=1))
    roll_up_all(store, now=NOW + 5)
    assert store.delivery_lag("shop", ENDPOINT, until=NOW) == 40.0
    assert store.delivery_lag("shop", "GET /other", until=NOW) == 0.0


def test_series_can_be_read_for_some_endpoints_only(store: TelemetryStore) -> None:
    for name in ("a", "b", "c"):
        store.append_spans(request_spans(f"t{name}", NOW - 30, queries=1, endpoint=name))
        store.append_spans(request_spans(f"u{name}", NOW - 5, queries=1, endpoint=name))
    roll_up_all(store, now=NOW + 5)
    every = store.endpoint_series(since=NOW - 60, until=NOW, bucket_seconds=10)
    some = store.endpoint_series(
        since=NOW - 60, until=NOW, bucket_seconds=10, endpoints=[("shop", "c"), ("shop", "a"), ("shop", "none")]
    )
    assert [one.endpoint for one in every] == ["a", "b", "c"]
    assert [one.endpoint for one in some] == ["a", "c"]
    for one in some:
        full = next(other for other in every if other.endpoint == one.endpoint)
        assert np.array_equal(one.bucket_starts, full.bucket_starts)
        assert np.array_equal(one.duration_histogram, full.duration_histogram)


def test_appends_during_a_commit_are_committed_together_in_the_next() -> None:
    commits: list[int] = []
    gate = asyncio.Event()

    async def commit(groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        commits.append(len(groups))
        await gate.wait()
        return [Appended(len(group), 0) for group in groups]

    async def send_all() -> list[Appended]:
        together = GroupCommit[Event](commit)
        sending = [asyncio.create_task(together.append([make_event("view")] * (n + 1))) for n in range(10)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        late = asyncio.create_task(together.append([]))
        await asyncio.sleep(0)
        assert not any(one.done() for one in sending)
        gate.set()
        return await asyncio.gather(*sending, late)

    assert [one.accepted for one in asyncio.run(send_all())] == [*range(1, 11), 0]
    assert commits == [10, 1]


def test_a_failed_commit_raises_for_each_of_its_senders_and_the_next_commit_works() -> None:
    async def commit(groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        if len(groups) == 2:
            raise OSError("no room")
        return [Appended(len(group), 0) for group in groups]

    async def send_all() -> tuple[list[object], Appended]:
        together = GroupCommit[Event](commit)
        first = await asyncio.gather(together.append([]), together.append([]), return_exceptions=True)
        return list(first), await together.append([make_event("view")])

    failed, after = asyncio.run(send_all())
    assert [str(one) for one in failed] == ["no room", "no room"]
    assert after == Appended(1, 0)


def test_appends_waiting_behind_a_commit_that_finds_the_database_locked_fail_at_once() -> None:
    commits: list[int] = []

    async def commit(groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        commits.append(len(groups))
        await asyncio.sleep(0.01)
        raise DatabaseUnavailableError("The database is locked.")

    async def send_all() -> list[object]:
        together = GroupCommit[Event](commit)
        first = asyncio.create_task(together.append([]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        behind = [asyncio.create_task(together.append([make_event("view")])) for _ in range(3)]
        return list(await asyncio.gather(first, *behind, return_exceptions=True))

    assert [str(one) for one in asyncio.run(send_all())] == ["The database is locked."] * 4
    assert commits == [1]


def test_a_cancelled_sender_does_not_keep_the_others_from_their_answers() -> None:
    async def commit(groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        await asyncio.sleep(0.01)
        return [Appended(len(group), 0) for group in groups]

    async def send_all() -> Appended:
        together = GroupCommit[Event](commit)
        gone, stays = (asyncio.create_task(together.append([make_event("view")])) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await stays

    assert asyncio.run(send_all()) == Appended(1, 0)
