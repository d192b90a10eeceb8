from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pytest
from sqlalchemy import Connection, Engine

from detection.types import Event
from storage.database.locks import Lock, lock_shared
from storage.telemetry.hot.partitions import prepare_partitions
from storage.telemetry.rollups.marks import high_water, mark, set_mark
from storage.telemetry.rows.bulk import insert_new
from storage.telemetry.rows.records import EVENT_COLUMNS, event_rows
from storage.telemetry.rows.tables import events


def _append(connection: Connection, event_id: str) -> None:
    lock_shared(connection, Lock.APPEND)
    insert_new(connection, events, EVENT_COLUMNS, event_rows([Event(event_id, "view", "u", 1.0, {})], 1.0))


# PostgreSQL only: SQLite has one writer at a time, so commits are in the order of sequences.
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_record_committed_after_one_with_a_higher_sequence_is_not_skipped(engine: Engine) -> None:
    prepare_partitions(engine, now=1.0)
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as slow:
            _append(slow, "first number, last commit")
            with engine.begin() as quick:
                _append(quick, "second number, first commit")
            looking = pool.submit(high_water, engine)
            with pytest.raises(NotYet):
                looking.result(timeout=0.3)
        assert looking.result(timeout=20).events == 2
    with engine.connect() as connection:
        assert connection.execute(events.select()).rowcount == 2


def test_a_mark_is_zero_until_it_is_set_and_then_as_last_set(engine: Engine) -> None:
    with engine.begin() as connection:
        assert mark(connection, "events") == 0
        set_mark(connection, "events", 7)
        set_mark(connection, "events", 9)
        assert (mark(connection, "events"), mark(connection, "spans")) == (9, 0)
