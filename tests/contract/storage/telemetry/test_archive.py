from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from bot.commands.query import query
from detection.funnels.attempts import attempts
from detection.types import AlsoKnownAs, Event, LogRecord, MetricPoint
from storage.database.session import create_database
from storage.telemetry.archive import cold_store
from storage.telemetry.archive.cold_store import Archive, write_parquet
from storage.telemetry.archive.layout import DRAFTS, KINDS, PERSON, Draft, files
from storage.telemetry.hot.eviction import delete_batch
from storage.telemetry.people.expiry import KEPT_SECONDS
from storage.telemetry.sql import SqlTelemetry
from tests.contract.storage.telemetry.records import (
    DAY,
    ENDPOINT,
    NOW,
    STEPS,
    Clock,
    make_event,
    request_spans,
    roll_up_all,
    visit,
)

EVENTS = KINDS[0]


class PowerCut(BaseException):
    """Simulates a crash: no handler for Exception catches it."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def archiving_store(engine: Engine, clock: Clock, directory: Path) -> SqlTelemetry:
    return SqlTelemetry(
        engine,
        funnel_reader=attempts,
        segment_dimensions=["country"],
        clock=clock,
        archive=Archive(directory, keep_days=90),
    )


def fill(store: SqlTelemetry, user: str = "u1") -> None:
    store.append_events(visit(user, NOW - 10, *STEPS, country="de"))
    store.append_spans(request_spans(f"trace-{user}", NOW, queries=2))
    store.append_logs([LogRecord(f"log-{user}", "shop", None, NOW, "ERROR", "it broke", None, {"user.id": user})])
    store.append_metric_points([MetricPoint(f"point-{user}", "disk", "shop", NOW, 0.5, attributes={"user.id": user})])
    roll_up_all(store)


def counted(directory: Path) -> dict[str, tuple[int, int]]:
    """Return the number of rows and of distinct ids in each view."""
    ids = {"events": "event_id", "requests": "span_id", "logs": "record_id", "metrics": "point_id"}
    asked = {
        view: query(directory, f"SELECT count(*), count(DISTINCT {name}) FROM {view}") for view, name in ids.items()
    }
    return {view: answer.rows[0] for view, answer in asked.items()}


ALL_ONCE = {"events": (3, 3), "requests": (1, 1), "logs": (1, 1), "metrics": (1, 1)}


def test_evicted_records_are_in_the_archive_complete_and_by_day(
    archiving_store: SqlTelemetry, clock: Clock, directory: Path
) -> None:
    fill(archiving_store)
    archiving_store.append_events([make_event("view", "u2", NOW - DAY, "late", country="é'x")])
    roll_up_all(archiving_store)
    assert counted(directory) == dict.fromkeys(ALL_ONCE, (0, 0))
    archiving_store.expire(now=clock.now + 3 * 3600)
    assert archiving_store.recent_events() == []
    assert counted(directory) == ALL_ONCE | {"events": (4, 4)}
    asked = "SELECT day, event, user_id, epoch(happened_at), properties->>'country' FROM events ORDER BY happened_at"
    answer = query(directory, asked)
    assert [(str(row[0]), *row[1:]) for row in answer.rows[:2]] == [
        ("2026-02-06", "view", "u2", NOW - DAY, "é'x"),
        ("2026-02-07", "view", "u1", NOW - 10, "de"),
    ]
    request = query(directory, "SELECT service, endpoint, query_count, duration_ms, is_error, version FROM requests")
    assert request.rows == [("shop", ENDPOINT, 2, 12.0, False, "1.0")]


@pytest.mark.parametrize("moment", ["while_writing", "before_the_delete", "before_the_move", "within_the_move"])
def test_a_crash_at_any_moment_loses_and_duplicates_nothing(
    moment: str, archiving_store: SqlTelemetry, clock: Clock, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(archiving_store)
    archiving_store.append_events([make_event("view", "u1", NOW - DAY, "yesterday")])
    roll_up_all(archiving_store)
    calls = iter(range(1000))

    def crashing(real: Callable[..., object], *, after: int) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            if next(calls) >= after:
                raise PowerCut
            return real(*arguments)

        return call

    with monkeypatch.context() as patch:
        if moment == "while_writing":
            patch.setattr(cold_store, "write_parquet", crashing(cold_store.write_parquet, after=1))
        elif moment == "before_the_delete":
            patch.setattr(cold_store, "delete_batch", crashing(delete_batch, after=0))
        elif moment == "before_the_move":
            patch.setattr(Archive, "_put_in_place", crashing(Archive._put_in_place, after=1))
        else:
            patch.setattr(Draft, "home", crashing(Draft.home, after=1))
        with pytest.raises(PowerCut):
            archiving_store.expire(now=clock.now + 3 * 3600)
    archiving_store.append_events([make_event("view", "u3", NOW, "later")])
    roll_up_all(archiving_store)
    archiving_store.expire(now=clock.now + 3 * 3600)
    assert counted(directory) == ALL_ONCE | {"events": (5, 5)}
    assert list((directory / DRAFTS).iterdir()) == []


def test_a_full_disk_leaves_everything_in_the_hot_store(
    archiving_store: SqlTelemetry, clock: Clock, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(archiving_store)

    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(cold_store, "write_parquet", disk_full)
        with pytest.raises(OSError, match="No space"):
            archiving_store.expire(now=clock.now + 3 * 3600)
    assert len(archiving_store.recent_events()) == 3
    archiving_store.expire(now=clock.now + 3 * 3600)
    assert counted(directory) == ALL_ONCE


def test_days_past_their_retention_are_deleted(archiving_store: SqlTelemetry, clock: Clock, directory: Path) -> None:
    fill(archiving_store)
    archiving_store.expire(now=clock.now + 3 * 3600)
    archiving_store.expire(now=clock.now + 90 * DAY)
    assert counted(directory) == ALL_ONCE
    archiving_store.expire(now=clock.now + 91 * DAY)
    assert counted(directory) == dict.fromkeys(ALL_ONCE, (0, 0))


def test_a_new_database_overwrites_no_archived_file(
    archiving_store: SqlTelemetry, clock: Clock, directory: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    fill(archiving_store, "ana")
    archiving_store.expire(now=clock.now + 3 * 3600)
    anew = create_database(f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'anew.db')}")
    archive = Archive(directory, keep_days=90)
    store = SqlTelemetry(anew, funnel_reader=attempts, segment_dimensions=[], clock=clock, archive=archive)
    fill(store, "ben")
    store.expire(now=clock.now + 3 * 3600)
    anew.dispose()
    assert counted(directory) == {name: (2 * rows, 2 * ids) for name, (rows, ids) in ALL_ONCE.items()}


def test_an_erased_person_is_in_no_file_and_others_still_are(
    archiving_store: SqlTelemetry, clock: Clock, directory: Path
) -> None:
    fill(archiving_store, "ana")
    fill(archiving_store, "ben")
    archiving_store.expire(now=clock.now + 3 * 3600)
    fill(archiving_store, "ana")
    erased = archiving_store.erase_person(["ana"])
    assert (erased.events, erased.archived) == (3, 5)
    assert query(directory, "SELECT DISTINCT user_id FROM events").rows == [("ben",)]
    assert query(directory, "SELECT record_id FROM logs").rows == [("log-ben",)]
    assert query(directory, "SELECT point_id FROM metrics").rows == [("point-ben",)]
    assert archiving_store.erase_person(["ana"]).archived == 0
    assert archiving_store.erase_person(["ben"]).archived == 5
    assert files(directory, "events") == []


def test_a_person_erased_between_writing_and_evicting_is_not_archived(
    archiving_store: SqlTelemetry, clock: Clock, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(archiving_store, "ana")
    fill(archiving_store, "ben")
    real = cold_store.write_parquet
    erased_people: list[str] = []

    def write(path: Path, kind: object, rows: object) -> None:
        real(path, kind, rows)  # type: ignore[arg-type]
        if not erased_people:
            erased_people.append("ana")
            store_of_the_web_process.erase_person(["ana"])

    store_of_the_web_process = SqlTelemetry(
        archiving_store._engine, funnel_reader=attempts, segment_dimensions=[], clock=clock
    )
    monkeypatch.setattr(cold_store, "write_parquet", write)
    archiving_store.expire(now=clock.now + 3 * 3600)
    assert query(directory, "SELECT DISTINCT user_id FROM events").rows == [("ben",)]
    assert counted(directory)["events"] == (3, 3)


def test_the_archive_says_whose_an_event_was_when_it_left_the_hot_store(
    archiving_store: SqlTelemetry, clock: Clock, directory: Path
) -> None:
    sign_in = replace(make_event("sign_in", "ana"), also_known_as=AlsoKnownAs("laptop-1"))
    archiving_store.append_events([make_event("view", "laptop-1"), sign_in, make_event("view", "ben")])
    roll_up_all(archiving_store)
    clock.now += 4 * 3600
    archiving_store.expire(now=clock.now)
    asked = "SELECT user_id, person FROM events WHERE event = 'view' ORDER BY ALL"
    assert query(directory, asked).rows == [("ben", "ben"), ("laptop-1", "ana")]


def test_erasing_one_id_erases_all_of_the_person_from_the_archive_but_not_what_another_did_on_their_device(
    archiving_store: SqlTelemetry, clock: Clock, directory: Path
) -> None:
    def sign_in(user: str, device: str) -> Event:
        return replace(make_event("sign_in", user, clock.now, device), also_known_as=AlsoKnownAs(device))

    archiving_store.append_events([make_event("view", "laptop-1"), sign_in("ana", "laptop-1")])
    archiving_store.append_events([make_event("view", "phone-1", NOW + 1), sign_in("ana", "phone-1")])
    roll_up_all(archiving_store)
    clock.now += KEPT_SECONDS + 4 * 3600
    archiving_store.expire(now=clock.now)
    archiving_store.append_events([make_event("view", "phone-1", clock.now), sign_in("ben", "phone-1")])
    roll_up_all(archiving_store, now=clock.now)
    erased = archiving_store.erase_person(["ben"])
    assert (erased.events, erased.archived) == (2, 0)
    assert archiving_store.erase_person(["ana"]).archived == 4
    assert query(directory, "FROM events").rows == []


def test_a_person_is_erased_from_files_that_do_not_say_whose_an_event_was(
    archiving_store: SqlTelemetry, directory: Path
) -> None:
    older = replace(EVENTS, columns={name: kind for name, kind in EVENTS.columns.items() if name != PERSON})
    day = directory / "events" / "day=2026-02-07"
    day.mkdir(parents=True)
    for number, user in enumerate(("ana", "ben")):
        write_parquet(day / f"{number}.parquet", older, [(f"e{number}", "view", user, NOW, NOW, "{}")])
    asked = "SELECT user_id, person FROM events ORDER BY ALL"
    assert query(directory, asked).rows == [("ana", "ana"), ("ben", "ben")]
    assert archiving_store.erase_person(["ana"]).archived == 1
    write_parquet(day / "3.parquet", EVENTS, [("e3", "view", "phone-1", "ben", NOW, NOW, "{}")])
    assert query(directory, asked).rows == [("ben", "ben"), ("phone-1", "ben")]
    assert archiving_store.erase_person(["ben"]).archived == 2
