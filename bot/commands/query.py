"""`argux query "SELECT …"`: questions to the archive, in SQL, answered by DuckDB.

A question can read the archive's views and nothing else: no other file, no network, no setting, and nothing is written.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.telemetry.archive.layout import KINDS, Kind, files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAXIMUM_SECONDS = 30.0
AGAIN_SECONDS = 0.1
MAXIMUM_ROWS = 1000
MAXIMUM_MEMORY = "1GB"
MAXIMUM_THREADS = 2

_VIEWS = f"ask the views {', '.join(kind.name for kind in KINDS[:-1])} and {KINDS[-1].name}."
_UNKNOWN_TABLE = re.compile(r'Table with name "?([^"\s]+)"? does not exist')


class QueryError(Exception):
    """A question that cannot be answered; the message says why, and may be shown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A table. is_cut: there were more rows than were asked for."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]
    is_cut: bool


def query(directory: Path, sql: str, *, rows: int = MAXIMUM_ROWS, seconds: float = MAXIMUM_SECONDS) -> Answer:
    """Ask the archive at `directory` with one SELECT over the views events, requests, logs and metrics.

    Times in it are UTC; each view has `day` besides its columns, and asking for some days only reads those.
    Raises QueryError where it is no SELECT, has a mistake, or takes longer than `seconds`.
    """
    import duckdb

    with duckdb.connect(config={"threads": MAXIMUM_THREADS, "memory_limit": MAXIMUM_MEMORY}) as connection:
        _only_the_archive(connection, directory.resolve())
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise QueryError("Ask with one SELECT; nothing else is done here.")
            with _interrupted_after(connection, seconds):
                result = connection.execute(statements[0])
                columns = [column[0] for column in result.description]
                found = result.fetchmany(rows + 1)
        except duckdb.InterruptException as error:
            raise QueryError(
                f"This took longer than {seconds:g} s. Ask for fewer days: WHERE day >= '2026-02-01'."
            ) from error
        except duckdb.Error as error:
            raise QueryError(_friendly(error)) from error
    return Answer(columns, found[:rows], is_cut=len(found) > rows)


def nothing_archived(directory: Path) -> bool:
    """Whether no record has left the hot store yet, so that every answer is about nothing."""
    return not any(files(directory, kind.name) for kind in KINDS)


def _only_the_archive(connection: DuckDBPyConnection, directory: Path) -> None:
    """Make the views, then shut every other way to the outside, for good."""
    for kind in KINDS:
        connection.execute(_view(directory, kind))
    connection.execute("SET temp_directory = ''")
    connection.execute(f"SET allowed_directories = [{_text(directory)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _view(directory: Path, kind: Kind) -> str:
    if files(directory, kind.name):
        pattern = _text(directory / kind.name / "day=*" / "*.parquet")
        source = f"SELECT * FROM read_parquet({pattern}, hive_partitioning = true, hive_types = {{'day': DATE}})"  # noqa: S608 - own names
    else:
        columns = ", ".join(f"CAST(NULL AS {sql_type}) AS {name}" for name, sql_type in kind.columns.items())
        source = f"SELECT {columns}, CAST(NULL AS DATE) AS day WHERE false"
    return f"CREATE VIEW {kind.name} AS {source}"


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def _interrupted_after(connection: DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt what runs in the block, and again until it ends: DuckDB forgets what came before a query began."""
    is_over = threading.Event()

    def interrupt() -> None:
        wait = seconds
        while not is_over.wait(wait):
            connection.interrupt()
            wait = AGAIN_SECONDS

    interrupting = threading.Thread(target=interrupt, name="query interrupt", daemon=True)
    interrupting.start()
    try:
        yield
    finally:
        is_over.set()
        interrupting.join()


def _friendly(error: Exception) -> str:
    """DuckDB's own words, which point at the mistake; without the layers of names before them."""
    text = str(error).strip()
    if "disabled by configuration" in text:
        return f"Only the archive may be read here: {_VIEWS}"
    unknown = _UNKNOWN_TABLE.search(text)
    if unknown is not None:
        return f"There is no {unknown[1]} in the archive: {_VIEWS}"
    return text.removeprefix("Invalid Input Error: ").removeprefix("Catalog Error: ").removeprefix("Binder Error: ")
