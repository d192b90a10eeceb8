"""Rows that are stored in bulk are those that SQLAlchemy stores one by one, whatever their values are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, Table, insert, select

from storage.database.session import create_database
from storage.telemetry.rows import tables
from storage.telemetry.rows.bulk import Row, insert_new, put
from storage.telemetry.rows.records import EVENT_COLUMNS, LOG_COLUMNS, SPAN_COLUMNS

SPAN = ("t", "s", None, "server", "GET", "web", None, 1.0, 2.0, 3.5, False, None, None, None)
LOG = ("r1", "web", None, 1.0, 2.0, "INFO", 9, "paid", None, "{}")
EVENT = ("e1", "view", "u", 1.0, 2.0, "{}", None, None)
BUCKET = (60, 120.0, 1, 4.0, 2, 1.0, 3.0)
BUCKET_COLUMNS = ("resolution", "bucket_start", "series_id", "total", "count", "low", "high")
UUID, DIGEST = "0b0e8a3c-8f0e-4a55-9a6d-3f6a1e0c7b11", "9f86d081884c7d659a2feaa0c55ad015"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = create_database(f"sqlite:///{tmp_path / 'argux.db'}")
    for table in (tables.spans, tables.log_records, tables.events, tables.metric_buckets):
        table.create(made)
    return made


def stored(engine: Engine, table: Table) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(select(*(column for column in table.c if column.name != "sequence"))).all()


@pytest.mark.parametrize(
    ("table", "columns", "rows"),
    [
        (
            tables.spans,
            SPAN_COLUMNS,
            [SPAN, (*SPAN[:1], "s2", *SPAN[2:7], 5, 6, np.float64(7), True, "GET /", 200, "x")],
        ),
        (tables.log_records, LOG_COLUMNS, [LOG, (UUID, *LOG[1:]), (DIGEST, *LOG[1:]), (f"x:{DIGEST}", *LOG[1:])]),
        (tables.events, EVENT_COLUMNS, [EVENT, ("e2", *EVENT[1:6], UUID, True), ("e3", *EVENT[1:6], "é\n", False)]),
    ],
    ids=lambda value: value.name if isinstance(value, Table) else "",
)
def test_rows_are_stored_as_their_columns_types_store_them(
    engine: Engine, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    with engine.begin() as connection:
        assert insert_new(connection, table, columns, rows) == len(rows)
    in_bulk = stored(engine, table)
    with engine.begin() as connection:
        connection.execute(table.delete())
        for row in rows:
            connection.execute(insert(table), dict(zip(columns, row, strict=True)))

    assert in_bulk == stored(engine, table)


def test_the_order_of_the_columns_is_the_callers(engine: Engine) -> None:
    with engine.begin() as connection:
        insert_new(connection, tables.log_records, LOG_COLUMNS[::-1], [LOG[::-1]])

    assert stored(engine, tables.log_records) == [LOG]


def test_rows_that_are_there_already_are_neither_stored_nor_counted(engine: Engine) -> None:
    with engine.begin() as connection:
        assert insert_new(connection, tables.log_records, LOG_COLUMNS, [LOG, LOG]) == 1
        assert insert_new(connection, tables.log_records, LOG_COLUMNS, [LOG, ("r2", *LOG[1:])]) == 1
        assert insert_new(connection, tables.log_records, LOG_COLUMNS, []) == 0


def test_put_replaces_the_row_of_the_same_key(engine: Engine) -> None:
    with engine.begin() as connection:
        put(connection, tables.metric_buckets, BUCKET_COLUMNS, [BUCKET])
        put(connection, tables.metric_buckets, BUCKET_COLUMNS, [(*BUCKET[:3], 9.0, 3, 1.0, 5.0)])

    assert stored(engine, tables.metric_buckets) == [(*BUCKET[:3], 9.0, 3, 1.0, 5.0)]


def test_a_row_with_too_few_values_stores_nothing(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(ValueError, match="shorter"):
        insert_new(connection, tables.log_records, LOG_COLUMNS, [LOG, LOG[:-1]])

    assert stored(engine, tables.log_records) == []
