"""Bulk reads and writes of thousands of rows, in the fastest way for each database.

SQLite runs one prepared statement per row, so its limit on variables does not apply. PostgreSQL receives one array per
column and unnests them: one round trip for any number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Connection, Select, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

Row = tuple[Any, ...]

_ROWS_PER_STATEMENT = 10_000
_ROWS_PER_BLOCK = 500


def read_columns(
    connection: Connection, query: Select[Any], parameters: Mapping[str, Any] | None = None
) -> list[list[Any]]:
    """Run a query and return its result as columns, with the driver's raw values: for types that need no conversion.

    For tens of thousands of rows, creating and garbage-collecting Row objects takes longer than reading the data.
    """
    cursor = connection.execute(query, parameters).cursor
    assert cursor is not None
    columns: list[list[Any]] = [[] for _ in query.selected_columns]
    while block := cursor.fetchmany(_ROWS_PER_BLOCK):
        for column, values in zip(columns, zip(*block, strict=True), strict=True):
            column.extend(values)
    return columns


def insert_new(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> int:
    """Insert the rows that violate no unique constraint, skip the others; return how many were inserted."""
    return _insert(connection, table, columns, rows, replace=False)


def put(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows, or overwrite rows with the same primary key (upsert). Each key must occur only once in `rows`."""
    _insert(connection, table, columns, rows, replace=True)


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row], *, replace: bool) -> int:
    insert = _postgresql if connection.dialect.name == "postgresql" else _sqlite
    return sum(
        insert(connection, table, columns, rows[start : start + _ROWS_PER_STATEMENT], replace=replace)
        for start in range(0, len(rows), _ROWS_PER_STATEMENT)
    )


def _sqlite(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row], *, replace: bool) -> int:
    """Hand the driver whole columns: naming and converting the values of each row takes longer than storing them."""
    statement = _sqlite_statement(table, tuple(columns), replace)
    values = list(zip(*rows, strict=True))
    converted = [
        values[place] if convert is None else [convert(value) for value in values[place]]
        for place, convert in statement.parameters
    ]
    options = {"preserve_rowcount": True}
    return connection.exec_driver_sql(statement.text, list(zip(*converted, strict=True)), options).rowcount


class _Statement(NamedTuple):
    """parameters: for each question mark its column's place in a row, and what the column's type does to values."""

    text: str
    parameters: tuple[tuple[int, Callable[[Any], Any] | None], ...]


@lru_cache(maxsize=256)
def _sqlite_statement(table: Table, columns: tuple[str, ...], replace: bool) -> _Statement:
    dialect = sqlite.dialect(paramstyle="qmark")
    insert = _on_conflict(sqlite.insert(table), table, columns, replace=replace)
    compiled = insert.compile(dialect=dialect, column_keys=list(columns))
    return _Statement(
        str(compiled),
        tuple(
            (columns.index(name), table.c[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup
        ),
    )


def _postgresql(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row], *, replace: bool
) -> int:
    unnested = [func.unnest(bindparam(name, type_=ARRAY(table.c[name].type))) for name in columns]
    insert = postgresql.insert(table).from_select(list(columns), select(*unnested))
    statement = _on_conflict(insert, table, columns, replace=replace)
    arrays = {name: list(values) for name, values in zip(columns, zip(*rows, strict=True), strict=True)}
    return connection.execute(statement, arrays, execution_options={"preserve_rowcount": True}).rowcount


def _on_conflict(insert: Any, table: Table, columns: Sequence[str], *, replace: bool) -> Any:
    if not replace:
        return insert.on_conflict_do_nothing()
    key = [column.name for column in table.primary_key]
    return insert.on_conflict_do_update(
        index_elements=key, set_={name: insert.excluded[name] for name in columns if name not in key}
    )
