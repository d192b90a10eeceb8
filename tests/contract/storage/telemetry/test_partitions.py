from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, event, func, select, text

from detection.funnels.attempts import attempts
from detection.types import LogRecord, MetricPoint
from storage.database.locks import Lock, lock_exclusive
from storage.telemetry.hot import eviction
from storage.telemetry.hot.partitions import SENDERS_IDS, Period, partitions, prepare_partitions
from storage.telemetry.protocol import Appended, TelemetryStore
from storage.telemetry.rows.tables import append_period, events
from storage.telemetry.sql import SqlTelemetry
from tests.conftest import PostgresServer
from tests.contract.storage.telemetry.records import (
    DAY,
    FUNNEL,
    NOW,
    STEPS,
    Clock,
    make_event,
    request_spans,
    roll_up_all,
    visit,
)

HOUR = 3600.0


@pytest.fixture
def database_url(postgres_server: PostgresServer) -> str:
    """PostgreSQL only: SQLite's hot tables have no partitions."""
    postgres_server.empty("argux")
    return postgres_server.url("argux")


@pytest.fixture
def engine(engine: Engine) -> Engine:
    """A database without any partition."""
    with engine.begin() as connection:
        for table in SENDERS_IDS:
            for partition in partitions(connection, table):
                connection.execute(text(f"DROP TABLE {partition.name}"))
    return engine


def another_process(engine: Engine, now: float) -> SqlTelemetry:
    return SqlTelemetry(engine, funnel_reader=attempts, segment_dimensions=[], clock=lambda: now)


def periods(engine: Engine, table: str = "events") -> list[Period]:
    with engine.connect() as connection:
        hot = next(each for each in SENDERS_IDS if each.name == table)
        return [partition.period for partition in partitions(connection, hot)]


def stored(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(events)) or 0


def test_partitions_are_created_before_their_hour_begins(engine: Engine, store: TelemetryStore, clock: Clock) -> None:
    store.expire(now=NOW + 1800)
    expected = [Period(NOW, NOW + HOUR), Period(NOW + HOUR, NOW + 2 * HOUR)]
    assert {table.name: periods(engine, table.name) for table in SENDERS_IDS} == {
        table.name: expected for table in SENDERS_IDS
    }
    store.expire(now=NOW + 1900)
    assert periods(engine) == expected


def test_an_append_creates_a_missing_partition(engine: Engine, store: TelemetryStore, clock: Clock) -> None:
    assert periods(engine) == []
    assert store.append_events(visit("u1", NOW, *STEPS)) == Appended(3, 0)
    clock.now += 40 * DAY
    assert store.append_events(visit("u1", NOW + DAY, *STEPS)) == Appended(3, 0)
    assert periods(engine) == [Period(NOW, NOW + HOUR), Period(NOW + 40 * DAY, NOW + 40 * DAY + HOUR)]


def test_records_of_any_event_time_are_partitioned_by_arrival(engine: Engine, store: TelemetryStore) -> None:
    late_and_early = [make_event("view", "u1", NOW - 20 * DAY), make_event("view", "u2", NOW + DAY)]
    assert store.append_events(late_and_early) == Appended(2, 0)
    assert store.recent_events() == late_and_early[::-1]
    assert periods(engine) == [Period(NOW, NOW + HOUR)]


def test_duplicates_of_every_kind_of_record_are_recognised_in_the_next_hour(
    engine: Engine, store: TelemetryStore, clock: Clock
) -> None:
    log, point = LogRecord("l1", "shop", None, NOW, "INFO", "x", None), MetricPoint("p1", "cpu", "shop", NOW, 1.0)
    for moment, expected in ((NOW, (1, 0)), (NOW + 10, (0, 1)), (NOW + HOUR, (0, 1)), (NOW, (0, 1))):
        clock.now = moment
        appended = Appended(*expected)
        assert store.append_events([make_event("view")]) == appended
        assert store.append_spans(request_spans("t1", NOW, queries=0)[1:]) == appended
        assert store.append_logs([log]) == appended
        assert store.append_metric_points([point]) == appended


def test_another_span_of_a_known_trace_is_new(store: TelemetryStore, engine: Engine) -> None:
    store.append_spans(request_spans("t1", NOW, queries=1))
    assert store.append_spans(request_spans("t1", NOW, queries=2)) == Appended(1, 3)


def test_records_sent_twice_in_one_batch_are_stored_once(engine: Engine, store: TelemetryStore) -> None:
    twice = [make_event("view"), make_event("cart"), make_event("view")]
    assert store.append_events(twice) == Appended(2, 1)
    groups = [[make_event("pay")], [make_event("pay"), make_event("view")], []]
    assert store.append_event_groups(groups) == [Appended(1, 0), Appended(0, 2), Appended(0, 0)]


def test_the_same_records_sent_concurrently_on_both_sides_of_the_hour_are_stored_once(engine: Engine) -> None:
    senders = 8
    together = Barrier(senders)
    stores = [another_process(engine, NOW + HOUR + (-0.01 if n % 2 else 0.01)) for n in range(senders)]
    batches = [[make_event("view", f"u{n}", NOW, f"{batch}-{n}") for n in range(40)] for batch in range(10)]

    def send(store: SqlTelemetry) -> list[Appended]:
        together.wait()
        return [store.append_events(batch) for batch in batches]

    with ThreadPoolExecutor(senders) as pool:
        answers = list(pool.map(send, stores))
    for answered in zip(*answers, strict=True):
        assert sum(appended.accepted for appended in answered) == 40
        assert sum(appended.duplicates for appended in answered) == 40 * (senders - 1)
    assert stored(engine) == 400
    assert len(periods(engine)) == 2


def test_an_id_that_another_sender_commits_after_the_look_up_is_a_duplicate(engine: Engine) -> None:
    ours, theirs = another_process(engine, NOW), another_process(engine, NOW)
    theirs.append_events([make_event("view", "first")])
    sent: list[Appended] = []

    def append_meanwhile(*arguments: object) -> None:
        if not sent and "= ANY" in str(arguments[2]):
            sent.append(Appended(0, 0))
            sent.append(theirs.append_events([make_event("view"), make_event("cart")]))

    event.listen(engine, "after_cursor_execute", append_meanwhile)
    assert ours.append_events([make_event("view"), make_event("pay")]) == Appended(1, 1)
    assert sent[1] == Appended(2, 0)
    assert stored(engine) == 4


def test_expiry_drops_whole_partitions_once_their_last_record_is_old(
    engine: Engine, store: TelemetryStore, clock: Clock
) -> None:
    dropped: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: dropped.append(str(arguments[2])))
    store.append_events(visit("u1", NOW, *STEPS))
    store.append_spans(request_spans("t1", NOW, queries=0))
    roll_up_all(store)
    clock.now = NOW + 3 * HOUR - 1
    store.expire(now=clock.now)
    assert stored(engine) == 3
    assert store.expire(now=clock.now + 1) >= 4
    assert stored(engine) == 0
    assert periods(engine)[0] == Period(NOW + 2 * HOUR, NOW + 3 * HOUR)
    assert [statement for statement in dropped if statement.startswith("DELETE FROM events")] == []
    assert store.append_events(visit("u1", NOW, *STEPS)) == Appended(3, 0)


def test_a_partition_that_is_not_rolled_up_stays(engine: Engine, store: TelemetryStore, clock: Clock) -> None:
    store.append_events(visit("u1", NOW, *STEPS))
    store.expire(now=NOW + DAY)
    assert stored(engine) == 3


def test_a_partition_with_a_long_running_reader_is_dropped_later(
    engine: Engine, store: TelemetryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eviction, "LOCK_TIMEOUT", "50ms")
    store.append_events(visit("u1", NOW, *STEPS))
    roll_up_all(store)
    with engine.connect() as reader:
        reader.execute(select(events.c.event_id))
        store.expire(now=NOW + DAY)
        assert len(reader.execute(select(events.c.event_id)).all()) == 3
    store.expire(now=NOW + DAY)
    assert stored(engine) == 0


def test_records_kept_for_days_are_in_partitions_of_a_day(engine: Engine, store: TelemetryStore, clock: Clock) -> None:
    store.append_events(visit("u1", NOW, "view"))
    week = FUNNEL.__class__(1, "Week", FUNNEL.steps, 7 * DAY, 7)
    roll_up_all(store, (week,))
    clock.now = NOW + HOUR
    store.append_events(visit("u2", NOW, "view"))
    midnight = NOW + 12 * HOUR
    assert periods(engine) == [Period(NOW, NOW + HOUR), Period(NOW + HOUR, midnight)]
    prepare_partitions(engine, now=NOW + 2 * HOUR)
    assert periods(engine)[2:] == [Period(midnight, midnight + DAY)]


def test_an_append_waits_for_a_running_append_of_another_hour(engine: Engine) -> None:
    another_process(engine, NOW).append_events([make_event("view", "first")])
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            lock_exclusive(connection, Lock.APPEND)
            later = pool.submit(another_process(engine, NOW + HOUR).append_events, [make_event("view")])
            with pytest.raises(TimeoutError):
                later.result(timeout=0.2)
        assert later.result(timeout=60) == Appended(1, 0)
    with engine.connect() as connection:
        assert connection.execute(select(append_period.c.since)).scalars().all() == [NOW + HOUR]
