from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from storage.database.patience import Patience, waiting_with
from storage.database.session import create_database, read_only, readers
from storage.funnels import create_funnel, list_funnels
from storage.models import TimelineEntry

NOW = datetime(2026, 2, 7, 12, 0, tzinfo=UTC)


def _funnel(session: Session, name: str = "Signup") -> None:
    create_funnel(session, name=name, steps=[], baseline_days=7, window_minutes=30, now=NOW)


def test_sqlite_is_durable_at_every_commit_and_keeps_foreign_keys(
    tmp_path: Path, open_database: Callable[[str], Engine]
) -> None:
    with open_database(f"sqlite:///{tmp_path / 'deep' / 'argux.db'}").connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA synchronous")) == 2
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA busy_timeout")) == 10_000


def test_a_row_with_a_dangling_foreign_key_is_refused(session: Session) -> None:
    session.add(TimelineEntry(incident_id=404, happened_at=NOW, kind="note", actor="Ana", text="lost"))
    with pytest.raises(IntegrityError):
        session.flush()


def test_a_transaction_that_reads_then_writes_waits_for_the_other_writer_instead_of_failing(
    sessions: sessionmaker[Session],
) -> None:
    first_has_read, both_done = threading.Event(), threading.Barrier(2, timeout=20)

    def read_then_write(name: str) -> None:
        with sessions.begin() as session:
            list_funnels(session)
            first_has_read.set()
            _funnel(session, name)
        both_done.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(read_then_write, ["one", "two"]))
    with sessions() as session:
        assert sorted(funnel.name for funnel in list_funnels(session)) == ["one", "two"]


def test_readers_do_not_wait_for_a_writer_and_see_only_what_is_committed(
    engine: Engine, sessions: sessionmaker[Session]
) -> None:
    with sessions.begin() as writer:
        _funnel(writer)
        with readers(engine)() as reader:
            assert list_funnels(reader) == []
    with readers(engine)() as reader:
        assert len(list_funnels(reader)) == 1


def test_a_naive_datetime_is_refused_and_an_aware_one_is_read_back_in_utc(session: Session) -> None:
    _funnel(session)
    session.expire_all()
    assert list_funnels(session)[0].created_at == NOW
    assert list_funnels(session)[0].created_at.utcoffset() is not None


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://host/name"])
def test_a_database_that_threads_cannot_share_is_refused_with_the_reason(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL"):
        create_database(url)


@pytest.mark.parametrize("url", ["postgres://u:p@h/d", "postgresql://u:p@h/d", "postgresql+psycopg://u:p@h/d"])
def test_every_spelling_of_postgresql_gets_the_same_driver(url: str) -> None:
    assert create_database(url).url.drivername == "postgresql+psycopg"


def test_a_writer_waits_for_another_no_longer_than_its_wait_budget(
    tmp_path: Path, open_database: Callable[[str], Engine]
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'argux.db'}")
    patience = Patience(0.2)
    with engine.connect() as holder, holder.begin(), waiting_with(patience):
        for _ in range(2):
            with pytest.raises(OperationalError, match="locked"), engine.begin():
                pytest.fail("two writers at once")
            assert patience.left == 0
        with read_only(engine).connect() as reader:
            assert reader.scalar(text("PRAGMA busy_timeout")) == 10_000
    with waiting_with(patience), engine.begin() as writer:
        assert writer.scalar(text("PRAGMA busy_timeout")) == 10_000


def test_a_waiting_writer_finds_the_short_gaps_between_the_transactions_of_a_busy_one(
    tmp_path: Path, open_database: Callable[[str], Engine]
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'argux.db'}")
    got_in, transactions = threading.Event(), 0
    with ThreadPoolExecutor(1) as pool:
        with engine.begin():
            waiting = pool.submit(_write_once, engine, got_in)
        for _ in range(60):
            if got_in.wait(0.01):
                break
            with engine.begin():
                transactions += 1
                got_in.wait(0.05)
        waiting.result(timeout=20)
    assert transactions < 20


def _write_once(engine: Engine, done: threading.Event) -> None:
    with engine.begin():
        done.set()
