"""What `argux query "SELECT …"` does: run SQL on the archive with DuckDB.

A query can read the archive's views and nothing else: no other file, no network and no setting. It writes nothing.
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
from storage.telemetry.archive.people import with_person

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAXIMUM_SECONDS = 30.0
INTERRUPT_INTERVAL_SECONDS = 0.1
MAXIMUM_ROWS = 1000
MAXIMUM_MEMORY = "1GB"
MAXIMUM_THREADS = 2

_VIEWS = f"ask the views {', '.join(kind.name for kind in KINDS[:-1])} and {KINDS[-1].name}."
_UNKNOWN_TABLE = re.compile(r'Table with name "?([^"\s]+)"? does not exist')


class QueryError(Exception):
    """A query that cannot be answered; the message says why and may be shown to the user."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A result table. is_cut: there were more rows than the limit."""

    columns: Sequence[str]
    rows: Sequence[tuple[Any, ...]]
    is_cut: bool


def query(directory: Path, sql: str, *, rows: int = MAXIMUM_ROWS, seconds: float = MAXIMUM_SECONDS) -> QueryResult:
    """Run one SELECT over the views events, requests, logs and metrics of the archive at `directory`.

    Times are UTC. Each view has a `day` column besides its own; a filter on it reads only the files of those days.
    Raises QueryError if `sql` is not one SELECT, has a mistake, or takes longer than `seconds`.
    """
    import duckdb

    with duckdb.connect(config={"threads": MAXIMUM_THREADS, "memory_limit": MAXIMUM_MEMORY}) as connection:
        _restrict_to_archive(connection, directory.resolve())
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise QueryError("Ask with one SELECT; nothing else is done here.")
            with _interrupt_after(connection, seconds):
                result = connection.execute(statements[0])
                columns = [column[0] for column in result.description]
                found = result.fetchmany(rows + 1)
        except duckdb.InterruptException as error:
            raise QueryError(
                f"This took longer than {seconds:g} s. Ask for fewer days: WHERE day >= '2026-02-01'."
            ) from error
        except duckdb.Error as error:
            raise QueryError(_error_message(error)) from error
    return QueryResult(columns, found[:rows], is_cut=len(found) > rows)


def is_archive_empty(directory: Path) -> bool:
    """Return whether no record has been archived yet, so that every query finds nothing."""
    return not any(files(directory, kind.name) for kind in KINDS)


def _restrict_to_archive(connection: DuckDBPyConnection, directory: Path) -> None:
    """Create the views, then lock out every other file, the network and all settings for this connection."""
    for kind in KINDS:
        connection.execute(_view(connection, directory, kind))
    connection.execute("SET temp_directory = ''")
    connection.execute(f"SET allowed_directories = [{_sql_literal(directory)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _view(connection: DuckDBPyConnection, directory: Path, kind: Kind) -> str:
    if files(directory, kind.name):
        pattern = _sql_literal(directory / kind.name / "day=*" / "*.parquet")
        options = "hive_partitioning = true, hive_types = {'day': DATE}, union_by_name = true"
        rows = f"read_parquet({pattern}, {options})"
        source = with_person(connection, rows, kind.person, {}) if kind.person else f"SELECT * FROM {rows}"  # noqa: S608 - own names
    else:
        columns = ", ".join(f"CAST(NULL AS {sql_type}) AS {name}" for name, sql_type in kind.columns.items())
        source = f"SELECT {columns}, CAST(NULL AS DATE) AS day WHERE false"
    return f"CREATE VIEW {kind.name} AS {source}"


def _sql_literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def _interrupt_after(connection: DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Interrupt the query in the block after `seconds`, repeatedly until the block ends.

    Repeated because DuckDB ignores an interrupt that comes before the query starts.
    """
    has_ended = threading.Event()

    def interrupt() -> None:
        wait = seconds
        while not has_ended.wait(wait):
            connection.interrupt()
            wait = INTERRUPT_INTERVAL_SECONDS

    interrupting = threading.Thread(target=interrupt, name="query interrupt", daemon=True)
    interrupting.start()
    try:
        yield
    finally:
        has_ended.set()
        interrupting.join()


def _error_message(error: Exception) -> str:
    """Return DuckDB's message, which points at the mistake, without its error-class prefix."""
    text = str(error).strip()
    if "disabled by configuration" in text:
        return f"Only the archive may be read here: {_VIEWS}"
    unknown = _UNKNOWN_TABLE.search(text)
    if unknown is not None:
        return f"There is no {unknown[1]} in the archive: {_VIEWS}"
    return text.removeprefix("Invalid Input Error: ").removeprefix("Catalog Error: ").removeprefix("Binder Error: ")
