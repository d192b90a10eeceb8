"""However much there is to delete, no transaction of it is long: on SQLite every sender waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, event, func, insert, select

from detection.types import LogRecord
from storage.models import Funnel
from storage.telemetry import erasure
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS, Erased, TelemetryStore
from storage.telemetry.rollups.passes import FIRST_SIZE, PassSize
from storage.telemetry.rows.tables import (
    endpoint_buckets,
    funnel_buckets,
    funnel_cells,
    funnel_marks,
    funnel_progress,
    log_buckets,
    metric_buckets,
    metric_counters,
    metric_series,
)
from tests.contract.storage.telemetry.records import DAY, NOW, Clock

ROWS = 3 * FIRST_SIZE + 7
OLD = NOW - 60 * DAY


def at(number: int) -> float:
    return OLD + FINE_ENDPOINT_SECONDS * number


def old_rows() -> list[tuple[Table, list[dict[str, Any]]]]:
    """Return years of rows past their retention, for every table that is swept by time."""
    fine = {"resolution": FINE_ENDPOINT_SECONDS}
    minute = {"resolution": 60}
    numbers = range(ROWS)
    return [
        (funnel_marks, [{"funnel_id": 1, "sequence": 0, "step_count": 2, "window_seconds": 600.0}]),
        (
            endpoint_buckets,
            [
                {**fine, "bucket_start": at(n), "service": "shop", "endpoint": "GET /", "request_count": 1,
                 "error_count": 0, "query_sum": 0, "duration_histogram": b"", "query_histogram": b""}
                for n in numbers
            ],
        ),
        (
            funnel_buckets,
            [
                {**fine, "funnel_id": 1, "bucket_start": at(n), "dimension": "", "value": "", "entries": 1,
                 "reached": b"", "converted_by_delay": b""}
                for n in numbers
            ],
        ),
        (
            funnel_cells,
            [
                {"resolution": COARSE_SECONDS, "funnel_id": 1, "bucket_start": at(n), "combinations": "[]",
                 "counts": b""}
                for n in numbers
            ],
        ),
        (
            funnel_progress,
            [
                {"funnel_id": 1, "user_id": f"u{n}", "entered_at": at(n), "reached_at": "[]", "dimensions": "{}"}
                for n in numbers
            ],
        ),
        (log_buckets, [{**minute, "bucket_start": at(n), "series_id": 1, "line_count": 1, "by_window": b""}
                       for n in numbers]),
        (
            metric_series,
            [{"id": 1, "service": "shop", "name": "m", "attributes": "", "is_rate": False, "seen_at": NOW - 4 * DAY}],
        ),
        (
            metric_buckets,
            [
                {"resolution": COARSE_SECONDS, "bucket_start": NOW - DAY - n, "series_id": 1, "total": 1.0, "count": 1,
                 "low": 1.0, "high": 1.0}
                for n in numbers
            ],
        ),
        (
            metric_counters,
            [{"series_id": 2, "source": f"s{n}", "happened_at": at(n), "value": 1.0, "gap_seconds": None}
             for n in numbers],
        ),
    ]  # fmt: skip


@contextmanager
def deletions(engine: Engine) -> Iterator[list[int]]:
    """Collect how many rows each transaction deletes."""
    found: list[int] = []

    def began(connection: Connection) -> None:
        found.append(0)

    def executed(_c: object, cursor: Any, statement: str, _p: object, _x: object, _many: bool) -> None:
        if statement.lstrip().upper().startswith("DELETE"):
            found[-1] += max(cursor.rowcount, 0)

    event.listen(engine, "begin", began)
    event.listen(engine, "after_cursor_execute", executed)
    try:
        yield found
    finally:
        event.remove(engine, "begin", began)
        event.remove(engine, "after_cursor_execute", executed)


def test_whatever_is_past_its_retention_goes_a_stretch_at_a_time(
    store: TelemetryStore, engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The size of a stretch follows from the time it took; here it stays as it is, however quick the machine.
    monkeypatch.setattr(PassSize, "measured", lambda *_: None)
    with engine.begin() as connection:
        for table, rows in old_rows():
            connection.execute(insert(table), rows)
    with deletions(engine) as found:
        store.expire(now=clock.now)
    assert max(found) <= FIRST_SIZE
    with engine.connect() as connection:
        left = {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table, _ in old_rows()
            if table is not funnel_marks
        }
    assert left == dict.fromkeys(left, 0)


def test_the_counts_of_a_removed_funnel_go_a_stretch_at_a_time_also_what_was_counted_after_its_removal(
    store: TelemetryStore, engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PassSize, "measured", lambda *_: None)
    removed = datetime.fromtimestamp(NOW, UTC)
    with engine.begin() as connection:
        for number in (1, 2):
            row: dict[str, object] = {
                "id": number, "name": f"{number}", "steps": [], "baseline_days": 7, "window_minutes": 30,
                "created_at": removed, "removed_at": removed if number == 1 else None,
            }  # fmt: skip
            connection.execute(insert(Funnel), row)
            mark = {"funnel_id": number, "sequence": 0, "step_count": 2, "window_seconds": 6e5 / number}
            connection.execute(insert(funnel_marks), mark)
            counted = [
                {"resolution": COARSE_SECONDS, "funnel_id": number, "bucket_start": NOW - place, "dimension": "",
                 "value": "", "entries": 1, "reached": b"", "converted_by_delay": b""}
                for place in range(ROWS)
            ]  # fmt: skip
            connection.execute(insert(funnel_buckets), counted)
    with deletions(engine) as found:
        store.expire(now=clock.now)
    assert max(found) <= FIRST_SIZE
    with engine.connect() as connection:
        kept = [
            list(connection.scalars(select(table.c.funnel_id).distinct())) for table in (funnel_marks, funnel_buckets)
        ]
    assert kept == [[2], [2]]


def named(record_id: str) -> LogRecord:
    return LogRecord(record_id, "shop", None, NOW, "ERROR", "refused", None, {"user_id": "ana"})


def test_others_write_while_a_persons_records_are_looked_for_and_what_they_write_is_erased_too(
    store: TelemetryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append_logs([named("before")])
    look, came = erasure._named_in, list[str]()

    def look_slowly(*arguments: Any) -> Any:
        found = look(*arguments)
        if not came:
            came.append("meanwhile")
            store.append_logs([named("meanwhile")])
        return found

    monkeypatch.setattr(erasure, "_named_in", look_slowly)
    assert store.erase_person(["ana"]) == Erased(0, 0, 2, 0)
    assert store.log_samples(since=0.0, until=NOW + DAY) == []
