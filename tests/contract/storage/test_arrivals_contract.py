"""What came in is kept by process and minute; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from storage import arrivals
from storage.database.session import sessions

NOON = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def kept(engine: Engine) -> list[tuple[str, datetime, list[object]]]:
    with sessions(engine)() as session:
        return [(row.process, row.minute, row.tallies) for row in arrivals.since(session, NOON - timedelta(days=1))]


def save(engine: Engine, process: str, minute: datetime, *tallies: object) -> None:
    with sessions(engine).begin() as session:
        arrivals.save(session, process, minute, tallies)


def test_a_minute_that_is_kept_again_replaces_what_was_kept(engine: Engine) -> None:
    save(engine, "a", NOON, {"records": 1, "words": "Größe \\u0000 “5”"})
    save(engine, "a", NOON, {"records": 2})
    save(engine, "a", NOON + MINUTE, {"records": 1})
    assert kept(engine) == [("a", NOON, [{"records": 2}]), ("a", NOON + MINUTE, [{"records": 1}])]


def test_processes_that_keep_at_one_time_do_not_disturb_each_other(engine: Engine) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: save(engine, f"p{number}", NOON, {"records": number}), range(8)))
    assert [process for process, _, _ in kept(engine)] == [f"p{number}" for number in range(8)]


def test_earlier_minutes_are_deleted_and_the_others_stay(engine: Engine) -> None:
    for number in range(4):
        save(engine, "a", NOON + number * MINUTE, {})
    with sessions(engine).begin() as session:
        arrivals.delete_before(session, NOON + 2 * MINUTE)
    assert [minute for _, minute, _ in kept(engine)] == [NOON + 2 * MINUTE, NOON + 3 * MINUTE]
