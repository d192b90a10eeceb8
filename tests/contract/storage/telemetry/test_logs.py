"""The roll-up of log lines, with detection's template miner and pattern matcher, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from detection.funnels.attempts import attempts
from detection.types import JsonValue, LogRecord, LogSeries, Severity
from storage.database.session import sessions
from storage.log_patterns import add_pattern
from storage.telemetry.logs import series as log_series_module
from storage.telemetry.protocol import (
    COARSE_SECONDS,
    FINE_LOG_SECONDS,
    LOG_OTHER,
    LOG_PATTERN,
    LOG_SEVERITY,
    LOG_TEMPLATE,
    LOG_WINDOW_SECONDS,
    LogName,
    RolledUp,
)
from storage.telemetry.rows.tables import template_states
from storage.telemetry.sql import SqlTelemetry
from tests.contract.storage.telemetry.records import DAY, NOW, Clock
from workers.memory.log_reader import TemplateLogReader
from workers.services import utc_now

MakeWorker = Callable[[], SqlTelemetry]
PEOPLE = ["ana", "bo", "chen", "dmitri", "eve"]


@pytest.fixture
def make_worker(engine: Engine, clock: Clock) -> MakeWorker:
    """Make workers like separate processes: they share only the database."""

    def make() -> SqlTelemetry:
        return SqlTelemetry(
            engine, funnel_reader=attempts, segment_dimensions=[], clock=clock, log_reader=TemplateLogReader()
        )

    return make


@pytest.fixture
def worker(make_worker: MakeWorker) -> SqlTelemetry:
    return make_worker()


_numbers = iter(range(10**9))


def line(
    body: str, at: float = NOW, severity: str = "INFO", service: str = "shop", **attributes: JsonValue
) -> LogRecord:
    return LogRecord(f"record-{next(_numbers)}", service, None, at, severity, body, None, attributes)


def roll_up(store: SqlTelemetry, *lines: LogRecord, now: float = NOW + 5) -> None:
    store.append_logs(lines)
    assert store.roll_up([], now=now).logs == len(lines)


def read_series(store: SqlTelemetry, bucket_seconds: int = COARSE_SECONDS, **which: Any) -> list[LogSeries]:
    which.setdefault("kind", LOG_TEMPLATE)
    return list(store.log_series(since=0.0, until=NOW + DAY, bucket_seconds=bucket_seconds, **which))


def totals(store: SqlTelemetry, **which: Any) -> dict[str, int]:
    return {series.text: int(series.line_count.sum()) for series in read_series(store, **which)}


def test_lines_are_counted_by_template_severity_and_pattern_where_they_happened(worker: SqlTelemetry) -> None:
    lines = [line(f"order {number} was paid", NOW - 30 * number) for number in range(5)]
    lines.append(line("Connection refused to 10.0.0.7:5432", NOW, "ERROR"))
    roll_up(worker, *lines)
    orders, refused = sorted(read_series(worker, FINE_LOG_SECONDS), key=lambda one: -one.line_count.sum())
    assert (orders.text, orders.service, orders.severity) == ("order <*> was paid", "shop", "info")
    assert orders.bucket_starts.tolist() == [NOW - 120, NOW - 60, NOW]
    assert orders.line_count.tolist() == [2, 2, 1]
    assert (refused.severity, refused.sample) == ("error", "Connection refused to 10.0.0.7:5432")
    assert totals(worker, kind=LOG_SEVERITY) == {"info": 5, "error": 1}
    (connection,) = read_series(worker, kind=LOG_PATTERN)
    assert (connection.name, connection.line_count.tolist()) == ("connection", [1])
    assert worker.roll_up([], now=NOW) == RolledUp(0, 0)


def test_hours_hold_the_counts_of_their_ten_minute_windows(worker: SqlTelemetry) -> None:
    roll_up(worker, line("hello", NOW - 3600), line("hello", NOW - 3600), line("hello", NOW - 1), line("hello", NOW))
    (hours,) = read_series(worker)
    assert dict(zip(hours.bucket_starts.tolist(), hours.line_count.tolist(), strict=True)) == {NOW - 3600: 3, NOW: 1}
    (windows,) = read_series(worker, LOG_WINDOW_SECONDS)
    assert windows.bucket_starts.tolist() == [NOW - 3600, NOW - 600, NOW]
    assert windows.line_count.tolist() == [2, 1, 1]
    (levels,) = worker.log_hours([NOW - 3600])
    assert levels.line_count[[name.kind for name in levels.names].index(LOG_TEMPLATE)].tolist() == [2, 0, 0, 0, 0, 1]


def test_a_late_line_is_counted_in_the_bucket_in_which_it_happened(worker: SqlTelemetry) -> None:
    roll_up(worker, line("hello"))
    roll_up(worker, line("hello", NOW - 2 * 3600), line("hello", NOW - 2 * DAY), line("hello", NOW - 40 * DAY))
    (fine,) = read_series(worker, FINE_LOG_SECONDS)
    assert fine.bucket_starts.tolist() == [NOW - 2 * 3600, NOW]
    (coarse,) = read_series(worker)
    assert coarse.bucket_starts.tolist() == [NOW - 2 * DAY, NOW - 2 * 3600, NOW]


def test_counts_move_to_the_successor_when_a_template_becomes_more_general(worker: SqlTelemetry) -> None:
    roll_up(worker, line("Sent invoice to ana with 3 items", NOW - 3600, "WARN"))
    (before,) = read_series(worker)
    roll_up(worker, *(line(f"Sent invoice to {person} with 3 items") for person in PEOPLE))
    (series,) = read_series(worker)
    assert (series.text, series.severity) == ("Sent invoice to <*> with <*> items", "warn")
    assert series.line_count.tolist() == [1, 5]
    (name,) = {name for name in worker.log_totals(since=NOW - 3600, until=NOW + 60).names if name.kind == LOG_TEMPLATE}
    assert name.name == series.name
    named = worker.log_series(since=0, until=NOW + 60, bucket_seconds=COARSE_SECONDS, names=[name])
    assert [one.line_count.tolist() for one in named] == [[1, 5]]
    assert [one.name for one in by_name(worker, before.name)] == [series.name]


def by_name(store: SqlTelemetry, name: str) -> list[LogSeries]:
    names = [LogName(LOG_TEMPLATE, "shop", name)]
    return list(store.log_series(since=0, until=NOW + 60, bucket_seconds=COARSE_SECONDS, names=names))


def test_another_worker_continues_from_the_stored_template_state(make_worker: MakeWorker) -> None:
    first, second = make_worker(), make_worker()
    roll_up(first, *(line(f"Sent invoice to {person} with 3 items") for person in PEOPLE[:4]))
    roll_up(second, line("Sent invoice to eve with 1 items"))
    roll_up(first, line("Sent invoice to zoe with 1 items"), line("cache warmed up"))
    roll_up(second, line("cache warmed up"))
    assert totals(second) == {"Sent invoice to <*> with <*> items": 6, "cache warmed up": 2}


def test_a_log_roll_up_that_fails_changes_nothing_and_is_repeated_in_full(
    worker: SqlTelemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.append_logs([line(f"user {person} logged in") for person in PEOPLE])
    with monkeypatch.context() as patch:
        patch.setattr("storage.telemetry.logs.rollup.set_mark", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            worker.roll_up([], now=NOW + 5)
    assert read_series(worker) == []
    assert worker.roll_up([], now=NOW + 5).logs == len(PEOPLE)
    assert totals(worker) == {"user <*> logged in": len(PEOPLE)}


def test_a_pass_takes_no_more_than_its_limit(worker: SqlTelemetry) -> None:
    worker.append_logs([line("hello", service=f"s{number % 2}") for number in range(5)])
    assert [worker.roll_up([], now=NOW, limit=2).logs for _ in range(4)] == [2, 2, 1, 0]
    assert sum(int(one.line_count.sum()) for one in read_series(worker)) == 5


def test_templates_beyond_the_maximum_are_counted_together_but_severe_ones_have_reserved_room(
    worker: SqlTelemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_series_module, "MAX_TEMPLATES", 4)
    monkeypatch.setattr(log_series_module, "RESERVED_FOR_SEVERE", 2)
    animals = ["a cow moos", "the duck says quack to all", "sheep", "pigs grunt or squeal as they like it"]
    roll_up(worker, *(line(animal) for animal in animals))
    roll_up(worker, line("it is on fire", severity="ERROR"), line("sheep"))
    names = {series.name: int(series.line_count.sum()) for series in read_series(worker)}
    assert len(names) == 4
    assert names[LOG_OTHER] >= 2
    assert totals(worker)["it is on fire"] == 1
    assert sum(names.values()) == 6


def test_adding_or_turning_off_a_pattern_takes_effect_in_the_next_pass(worker: SqlTelemetry, engine: Engine) -> None:
    with sessions(engine).begin() as session:
        add_own_pattern(session, "payments", r"card \w+ declined", enabled=True)
        add_own_pattern(session, "connection", "", enabled=False)
    roll_up(worker, line("card visa declined"), line("Connection refused"))
    assert {series.name: series.text for series in read_series(worker, kind=LOG_PATTERN)} == {
        "payments": "what it means"
    }


def add_own_pattern(session: Session, name: str, expression: str, *, enabled: bool) -> None:
    add_pattern(
        session,
        name=name,
        expression=expression,
        severity=Severity.SEV3,
        description="what it means",
        enabled=enabled,
        by="ana",
        now=utc_now(),
    )


def test_alerts_of_other_systems_are_not_counted_as_lines(worker: SqlTelemetry) -> None:
    roll_up(
        worker, line("disk full on web-1", severity="ERROR", alert="DiskFull", status="firing", source="alertmanager")
    )
    assert read_series(worker) == []
    roll_up(worker, line("disk full", severity="ERROR", alert=True))
    assert totals(worker) == {"disk full": 1}


def test_template_state_of_an_unknown_format_is_replaced(make_worker: MakeWorker, engine: Engine) -> None:
    roll_up(make_worker(), line("hello world"))
    with engine.begin() as connection:
        connection.execute(update(template_states).values(state=b"of another time", version="old"))
    roll_up(worker := make_worker(), line("hello world"))
    assert totals(worker) == {"hello world": 2}


def test_templates_stay_known_when_their_state_cannot_be_read(make_worker: MakeWorker, engine: Engine) -> None:
    roll_up(make_worker(), *(line(f"invoice went to {person} today") for person in PEOPLE))
    before = {series.name: series.text for series in read_series(make_worker())}
    with engine.begin() as connection:
        connection.execute(update(template_states).values(state=b"of another time", version="old"))
    roll_up(worker := make_worker(), line("invoice went to zoe today"), line("invoice went missing"))
    after = {series.name: series.text for series in read_series(worker)}
    assert before.items() < after.items()
    assert sorted(after.values()) == ["invoice went missing", "invoice went to <*> today"]
    assert totals(worker)["invoice went to <*> today"] == len(PEOPLE) + 1


def test_a_template_is_shown_by_what_it_has_become(worker: SqlTelemetry) -> None:
    roll_up(worker, line("invoice went to ana today"))
    (before,) = read_series(worker)
    roll_up(worker, *(line(f"invoice went to {person} today") for person in PEOPLE))
    (after,) = read_series(worker)
    assert (before.name, before.text) == (after.name, "invoice went to ana today")
    assert after.text == "invoice went to <*> today"


def test_counts_and_series_are_deleted_when_past_their_retention(worker: SqlTelemetry) -> None:
    roll_up(worker, line("hello"))
    worker.expire(now=NOW + 4 * 3600)
    assert read_series(worker, FINE_LOG_SECONDS) == []
    assert len(read_series(worker)) == 1
    assert worker.heard_since() == {"shop": NOW}
    worker.expire(now=NOW + 36 * DAY)
    assert read_series(worker) == []
    worker.expire(now=NOW + 36 * DAY)
    assert worker.heard_since() == {}


def test_a_log_record_stays_in_the_hot_store_until_it_is_counted(worker: SqlTelemetry) -> None:
    worker.append_logs([line("hello")])
    assert worker.expire(now=NOW + 3 * 3600) == 0
    worker.roll_up([], now=NOW)
    worker.expire(now=NOW + 3 * 3600)
    assert list(worker.log_samples(since=0, until=NOW + DAY)) == []


def test_an_erased_person_is_in_no_sample_and_no_template(make_worker: MakeWorker) -> None:
    worker = make_worker()
    attributes: dict[str, Any] = {"user.id": "someone"}
    about = line("zoe.k took the last cookie", severity="WARN", **attributes)
    roll_up(worker, line("user zoe.k logged in"), line("order 17 of zoe.k: connection refused"), about)
    assert {series.sample for series in read_series(worker)} >= {"user zoe.k logged in", ""}
    assert worker.erase_person(["zoe.k"]).log_samples == 4
    again = make_worker()
    roll_up(again, line("user ben logged in"), line("user zoe.kline logged in"))
    shown = " ".join(
        series.text + series.sample for kind in (LOG_TEMPLATE, LOG_PATTERN) for series in read_series(again, kind=kind)
    )
    assert "zoe.k " not in shown
    assert totals(again)["user <*> logged in"] == 3
    assert worker.erase_person(["zoe.k"]).log_samples == 0


def test_log_totals_and_series_agree(worker: SqlTelemetry) -> None:
    roll_up(worker, *(line(f"order {number} was paid", NOW - 61 * number) for number in range(8)))
    levels = worker.log_totals(since=NOW - 300, until=NOW + 60)
    place = next(place for place, name in enumerate(levels.names) if name.kind == LOG_TEMPLATE)
    (series,) = worker.log_series(
        since=NOW - 300, until=NOW + 60, bucket_seconds=FINE_LOG_SECONDS, names=[levels.names[place]]
    )
    assert levels.line_count[place].tolist() == [int(series.line_count.sum())]
    assert np.all(series.bucket_starts >= NOW - 300)
    assert (
        worker.log_series(
            since=0, until=NOW + 60, bucket_seconds=FINE_LOG_SECONDS, names=[LogName(LOG_TEMPLATE, "shop", "nothing")]
        )
        == []
    )
