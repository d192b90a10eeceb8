"""Appending on PostgreSQL: COPY into the partition of the moment, with senders' ids unique over all partitions.

Within a partition its unique index keeps an id unique, whoever sends at the same time. Over partitions it is looked up,
which alone would let two through that arrive at once on both sides of the hour. So all appends under way go to one
partition, the one that `append_period` names: they hold Lock.APPEND together. The first whose clock says otherwise
takes the lock alone, which waits for the others, and names the new one. What is in another partition is committed then,
and the look-up sees it.

COPY has no ON CONFLICT. Where another sender committed one of the ids between look-up and COPY, the transaction failed,
nothing of it is stored, and it is done anew with the lock held alone: then no id can come between.
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
"""Fewer rows are inserted: COPY goes to the database twice."""


class _RetryExclusively(Exception):
    """To be done with the lock held alone: another period is open, its partition is gone, or a sender was quicker."""


def copy_new(engine: Engine, table: Table, columns: Sequence[str], groups: Sequence[Sequence[Row]]) -> Sequence[int]:
    """Append what is new of each group, all in one commit; how many that were, by group.

    The columns that tell records apart come first; all rows arrived at once.
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
            return _stored(connection, table, columns, groups, period, known)
    except _RetryExclusively:
        pass
    with engine.begin() as connection:
        lock_exclusive(connection, Lock.APPEND)
        lock_exclusive(connection, Lock.PARTITIONS)
        period = _opened(connection, period_for(connection, arrived_at))
        _, known = _open_period_and_known(connection, table, groups)
        return _stored(connection, table, columns, groups, period, known)


def _open_period_and_known(
    connection: Connection, table: Table, groups: Sequence[Sequence[Row]]
) -> tuple[Period | None, set[Row]]:
    """The period that all append to, and the ids of these rows, or with the same first part, in any partition.

    One statement, to go to the database once less; not the one that takes the lock, which looks before it waits.
    """
    ids = [table.c[name] for name in SENDERS_IDS[table]]
    wanted = bindparam("wanted", type_=ARRAY(ids[0].type))
    of_them = append_period.outerjoin(table, ids[0] == any_(wanted))
    query = select(append_period.c.since, append_period.c.until, *ids).select_from(of_them)
    found = connection.execute(query, {"wanted": [row[0] for group in groups for row in group]}).all()
    return Period(*found[0][:2]) if found else None, {tuple(row[2:]) for row in found}


def _opened(connection: Connection, period: Period) -> Period:
    connection.execute(delete(append_period))
    connection.execute(insert(append_period).values(since=period.since, until=period.until))
    return period


def _stored(
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
    # In one order for everyone, so that two batches with the same records cannot wait for each other in a ring.
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
    """COPY rows; raises what the engine would raise, so that callers need not know of the driver."""
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
