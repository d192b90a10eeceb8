"""SQLite's log is begun anew although somebody always reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from storage.database import wal
from storage.database.session import read_only
from storage.database.wal import shorten_log


def log_bytes(url: str) -> int:
    return Path(f"{url.removeprefix('sqlite:///')}-wal").stat().st_size


def write(engine: Engine, rows: int) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS notes (words TEXT)"))
        for _ in range(rows):
            connection.execute(text("INSERT INTO notes VALUES (:words)"), {"words": "x" * 4000})


def test_a_long_log_is_begun_anew_between_readers_and_nothing_is_lost(
    sqlite_url: str, open_database: Callable[[str], Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "LONGEST_LOG_BYTES", 100_000)
    engine = open_database(sqlite_url)
    write(engine, 10)
    assert not shorten_log(engine)
    with read_only(engine).connect() as reader:
        reader.execute(text("SELECT count(*) FROM notes"))
        write(engine, 100)
        # This one reads what was before, so its part of the log must stay; nobody waits for it for long.
        assert shorten_log(engine)
        assert log_bytes(sqlite_url) > 100_000
    assert shorten_log(engine)
    assert log_bytes(sqlite_url) == 0
    with read_only(engine).connect() as reader:
        assert reader.scalar(text("SELECT count(*) FROM notes")) == 110


def test_postgresql_has_no_such_log(engine: Engine) -> None:
    if engine.dialect.name == "postgresql":
        assert not shorten_log(engine)
