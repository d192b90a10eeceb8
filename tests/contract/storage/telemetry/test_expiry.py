from __future__ import annotations

from detection.types import FunnelDefinition, LogRecord
from storage.telemetry.protocol import COARSE_SECONDS, Appended, RolledUp, TelemetryStore
from tests.contract.storage.telemetry.records import (
    DAY,
    ENDPOINT,
    FUNNEL,
    NOW,
    STEPS,
    Clock,
    endpoint_totals,
    make_event,
    reached_by_bucket,
    request_spans,
    roll_up_all,
    visit,
)


def test_hot_records_are_evicted_two_hours_after_arrival_but_never_before_they_are_rolled_up(
    store: TelemetryStore, clock: Clock
) -> None:
    store.append_events(visit("u1", NOW - 7 * DAY, *STEPS))
    store.append_spans(request_spans("t1", NOW - 7 * DAY, queries=2))
    store.append_logs([LogRecord("l1", "shop", None, NOW - 7 * DAY, "INFO", "old", None)])
    clock.now += 3 * 3600
    assert store.expire(now=clock.now) == 0
    assert len(store.recent_events()) == 3
    roll_up_all(store, now=clock.now)
    assert (reached_by_bucket(store, COARSE_SECONDS), endpoint_totals(store, COARSE_SECONDS)) == (
        {NOW - 7 * DAY: (1, 1, 1)},
        ([1], [2]),
    )
    store.expire(now=clock.now)
    assert store.recent_events() == []
    assert store.request_samples("shop", ENDPOINT, since=0, until=NOW) == []
    assert reached_by_bucket(store, COARSE_SECONDS) == {NOW - 7 * DAY: (1, 1, 1)}


def test_history_sent_again_soon_after_its_import_is_recognised(store: TelemetryStore) -> None:
    history = visit("u1", NOW - 7 * DAY, *STEPS)
    store.append_events(history)
    roll_up_all(store)
    store.expire(now=NOW + 60)
    assert store.append_events(history) == Appended(0, 3)


def test_a_longer_funnel_window_keeps_events_longer(store: TelemetryStore, clock: Clock) -> None:
    long = FunnelDefinition(1, "Long", FUNNEL.steps, 4 * 3600.0, 7)
    store.append_events(visit("u1", NOW, "view"))
    roll_up_all(store, (long,))
    store.expire(now=NOW + 4.4 * 3600)
    assert len(store.recent_events()) == 1
    store.expire(now=NOW + 5.5 * 3600)
    assert store.recent_events() == []


def test_sequences_of_evicted_records_are_not_reused(store: TelemetryStore, clock: Clock) -> None:
    store.append_events(visit("u1", NOW, *STEPS))
    roll_up_all(store)
    clock.now += DAY
    store.expire(now=clock.now)
    store.append_events(visit("u2", NOW + DAY, "view"))
    assert store.roll_up([FUNNEL], now=clock.now) == RolledUp(1, 0)


def test_a_late_step_of_an_attempt_whose_entry_was_evicted_changes_no_counts(
    store: TelemetryStore, clock: Clock
) -> None:
    store.append_events(visit("u1", NOW, "view", "cart"))
    roll_up_all(store)
    clock.now = NOW + 3600
    store.append_events([make_event("view", "u1", NOW + 30)])
    roll_up_all(store, now=clock.now)
    clock.now = NOW + 3 * 3600
    store.expire(now=clock.now)
    assert len(store.recent_events()) == 1
    store.append_events([make_event("pay", "u1", NOW + 40), *visit("u1", clock.now, "view", "cart")])
    roll_up_all(store, now=clock.now)
    assert reached_by_bucket(store) == {NOW: (1, 1, 0), clock.now: (1, 1, 0)}


def test_fine_buckets_are_kept_three_hours_and_coarse_ones_thirty_five_days(store: TelemetryStore) -> None:
    store.append_events(visit("u1", NOW, "view", country="de"))
    store.append_spans(request_spans("t1", NOW, queries=1))
    roll_up_all(store)

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


def test_a_segment_value_unseen_for_35_days_makes_room_for_another(store: TelemetryStore, clock: Clock) -> None:
    store.append_events([event for n in range(20) for event in visit(f"u{n}", NOW, "view", country=f"old{n}")])
    roll_up_all(store)
    clock.now += 36 * DAY
    store.expire(now=clock.now)
    store.append_events(visit("new", clock.now, "view", country="new"))
    roll_up_all(store, now=clock.now)
    found = store.funnel_series(1, since=0, until=clock.now + 60, bucket_seconds=10)
    assert [(series.dimension, series.value) for series in found] == [(None, None), ("country", "new")]
