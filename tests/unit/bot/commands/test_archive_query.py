"""`argux query`: SQL on the archive, and only on the archive."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from duckdb import DuckDBPyConnection
from typer.testing import CliRunner

from bot.cli import app
from bot.commands import query as archive_query
from bot.commands.query import QueryError, is_archive_empty, query
from storage.telemetry.archive.cold_store import write_parquet
from storage.telemetry.archive.layout import KINDS

EVENTS = KINDS[0]
AT = 1_770_465_600.0
ENDLESS = "SELECT sum(sin(a.range * b.range)) FROM range(1000000) a, range(1000000) b"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "it's an archive"
    day = path / "events" / "day=2026-02-07"
    day.mkdir(parents=True)
    rows = [(f"e{n}", "view", "u1", "u1", AT + n, AT + n, '{"country": "de"}') for n in range(5)]
    write_parquet(day / "1-5.0a0b0c0d.parquet", EVENTS, rows)
    (tmp_path / "secret.csv").write_text("key\nargux_secret\n")
    return path


def test_a_query_returns_column_names_and_rows(directory: Path) -> None:
    answer = query(directory, "SELECT event, count(*) AS how_many FROM events WHERE day = '2026-02-07' GROUP BY event;")
    assert (answer.columns, answer.rows, answer.is_cut) == (["event", "how_many"], [("view", 5)], False)


def test_more_rows_than_the_limit_are_cut_and_marked(directory: Path) -> None:
    answer = query(directory, "FROM events", rows=3)
    assert (len(answer.rows), answer.is_cut) == (3, True)
    assert not query(directory, "FROM events", rows=5).is_cut


def test_an_empty_archive_has_every_view_with_its_columns(tmp_path: Path) -> None:
    for kind in KINDS:
        assert query(tmp_path / "none", f"FROM {kind.name}").columns == [*kind.columns, "day"]


@pytest.mark.parametrize(
    "sql",
    [
        "COPY events TO '{directory}/stolen.parquet'",
        "CREATE TABLE copy AS FROM events",
        "SET enable_external_access = true",
        "ATTACH '{directory}/other.db'",
        "INSTALL httpfs",
        "SELECT 1; SELECT 2",
        "EXPLAIN ANALYZE COPY events TO '{directory}/stolen.parquet'",
        "SELECT * FROM read_csv('{directory}/../secret.csv')",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM read_parquet('http://127.0.0.1:9/x.parquet')",
        "",
    ],
)
def test_nothing_but_the_archive_is_read_and_nothing_is_written(directory: Path, sql: str) -> None:
    before = sorted(directory.rglob("*"))
    with pytest.raises(QueryError):
        query(directory, sql.format(directory=str(directory).replace("'", "''")))
    assert sorted(directory.rglob("*")) == before


def test_a_mistake_in_the_query_is_named(directory: Path) -> None:
    with pytest.raises(QueryError, match="user_name"):
        query(directory, "SELECT user_name FROM events")
    with pytest.raises(QueryError, match="SELEKT"):
        query(directory, "SELEKT 1")


def test_an_unknown_view_is_answered_with_the_existing_ones(directory: Path) -> None:
    for sql in ("FROM nope", "SELECT count(*) FROM events JOIN nope USING (event_id)", "FROM other.nope"):
        with pytest.raises(
            QueryError, match=r"no (other\.)?nope in the archive: ask the views events, requests, logs and metrics"
        ):
            query(directory, sql)


def test_an_archive_is_empty_until_something_is_archived(directory: Path, tmp_path: Path) -> None:
    assert not is_archive_empty(directory)
    assert is_archive_empty(tmp_path / "none")


def test_the_command_says_that_nothing_has_been_archived_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    monkeypatch.setenv("ARGUX_DATA_DIR", str(tmp_path / "new"))
    empty = CliRunner().invoke(app, ["query", "SELECT count(*) FROM events"])
    assert (empty.exit_code, empty.stderr.startswith("Nothing has been archived yet")) == (0, True)
    directory.rename(tmp_path / "archive")
    monkeypatch.setenv("ARGUX_DATA_DIR", str(tmp_path))
    assert CliRunner().invoke(app, ["query", "SELECT count(*) FROM events"]).stderr == ""


def test_a_query_that_takes_too_long_is_interrupted(directory: Path) -> None:
    with pytest.raises(QueryError, match=r"longer than 0\.3 s"):
        query(directory, ENDLESS, seconds=0.3)


def test_a_query_that_starts_after_its_time_limit_is_interrupted_too(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed = archive_query._interrupt_after

    @contextmanager
    def late(connection: DuckDBPyConnection, seconds: float) -> Iterator[None]:
        with timed(connection, seconds):
            time.sleep(0.5)
            yield

    monkeypatch.setattr(archive_query, "_interrupt_after", late)
    with pytest.raises(QueryError, match=r"longer than 0\.1 s"):
        query(directory, ENDLESS, seconds=0.1)
