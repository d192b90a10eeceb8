"""Append on PostgreSQL: COPY into the current partition, and keep senders' ids unique across all partitions.

Within a partition a unique index keeps ids unique, also between concurrent appends. Across partitions the ids are
looked up first. The look-up alone would let two records with the same id through if they arrived at the same time on
both sides of the hour. Therefore all concurrent appends go to one partition, the one that `append_period` names, and
hold Lock.APPEND shared. The first append whose clock is in another period takes the lock exclusively, which waits for
the others to commit, and stores the new period. Everything in other partitions is then committed, and the look-up sees
it.

COPY has no ON CONFLICT. If another sender commits one of the ids between look-up and COPY, the transaction fails and
stores nothing; it is repeated with the lock held exclusively, when no other append can interfere.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import psycopg
from sqlalchemy import ARRAY, Connection, Engine, Table, any_, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError

from storage.database.locks import Lock, lock_exclusive, lock_shared
from storage.telemetry.hot.partitions import SENDERS_IDS, Period, partition_name, period_for
from storage.telemetry.rows.bulk import Row, insert_new
from storage.telemetry.rows.tables import append_period

MIN_ROWS_TO_COPY = 100
"""Fewer rows than this are inserted instead, because COPY needs two round trips."""


class _RetryExclusively(Exception):
    """Repeat the append with the lock held exclusively.

    Raised when another period is open, its partition is gone, or another sender committed one of the ids first.
    """


def copy_new(engine: Engine, table: Table, columns: Sequence[str], groups: Sequence[Sequence[Row]]) -> Sequence[int]:
    """Append the new rows of each group, all in one commit; return the number of new rows per group.

    `columns` begins with the columns of the unique key. All rows have the same arrived_at.
    """
    first = next((row for group in groups for row in group), None)
    if first is None:
        return [0] * len(groups)
    arrived_at: float = first[list(columns).index("arrived_at")]
    try:
        with engine.begin() as connection:
            lock_shared(connection, Lock.APPEND)
            period, known = _open_period_and_known(connection, table, groups)
            if period is None or not period.since <= arrived_at < period.until:
                raise _RetryExclusively
            return _store_new(connection, table, columns, groups, period, known)
    except _RetryExclusively:
        pass
    with engine.begin() as connection:
        lock_exclusive(connection, Lock.APPEND)
        lock_exclusive(connection, Lock.PARTITIONS)
        period = _open_period(connection, period_for(connection, arrived_at))
        _, known = _open_period_and_known(connection, table, groups)
        return _store_new(connection, table, columns, groups, period, known)


def _open_period_and_known(
    connection: Connection, table: Table, groups: Sequence[Sequence[Row]]
) -> tuple[Period | None, set[Row]]:
    """Return the period that appends go to now, and the keys already stored, in any partition.

    Only keys whose first column equals that of one of these rows are read. One statement for both saves a round trip.
    It must not be merged with the statement that takes the lock: that one's snapshot is taken before it waits.
    """
    ids = [table.c[name] for name in SENDERS_IDS[table]]
    wanted = bindparam("wanted", type_=ARRAY(ids[0].type))
    of_them = append_period.outerjoin(table, ids[0] == any_(wanted))
    query = select(append_period.c.since, append_period.c.until, *ids).select_from(of_them)
    found = connection.execute(query, {"wanted": [row[0] for group in groups for row in group]}).all()
    return Period(*found[0][:2]) if found else None, {tuple(row[2:]) for row in found}


def _open_period(connection: Connection, period: Period) -> Period:
    connection.execute(delete(append_period))
    connection.execute(insert(append_period).values(since=period.since, until=period.until))
    return period


def _store_new(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    groups: Sequence[Sequence[Row]],
    period: Period,
    known: set[Row],
) -> Sequence[int]:
    width = len(SENDERS_IDS[table])
    new: list[Row] = []
    counts = []
    for group in groups:
        before = len(new)
        for row in group:
            key = row[:width]
            if key not in known:
                known.add(key)
                new.append(row)
        counts.append(len(new) - before)
    # All batches use the same order, so that two batches with the same records cannot deadlock.
    new.sort(key=itemgetter(*range(width)))
    if len(new) >= MIN_ROWS_TO_COPY:
        _copy(connection, partition_name(table, period), table, columns, new)
    elif new:
        _insert(connection, table, columns, new)
    return counts


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    try:
        inserted = insert_new(connection, table, columns, rows)
    except IntegrityError as error:
        if isinstance(error.orig, psycopg.errors.CheckViolation):
            raise _RetryExclusively from error
        raise
    if inserted < len(rows):
        raise _RetryExclusively


def _copy(connection: Connection, partition: str, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """COPY rows into a partition. Driver errors are raised as SQLAlchemy would raise them."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    converts = [table.c[name].type.bind_processor(connection.dialect) for name in columns]
    statement = f"COPY {partition} ({', '.join(columns)}) FROM STDIN"
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            for row in rows:
                copy.write_row(
                    [convert(value) if convert else value for convert, value in zip(converts, row, strict=True)]
                )
    except (psycopg.errors.UniqueViolation, psycopg.errors.UndefinedTable) as error:
        raise _RetryExclusively from error
    except psycopg.OperationalError as error:
        raise OperationalError(statement, None, error) from error
