"""What leaves the hot store in one transaction: some rows, deleted, or on PostgreSQL a partition, dropped whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, FromClause, Table, column, delete, func, select, table, text
from sqlalchemy.exc import OperationalError

from storage.database.locks import Lock, alone
from storage.database.session import read_only
from storage.telemetry.hot.partitions import partitions
from storage.telemetry.rows.tables import requests, spans

log = structlog.get_logger()

LOCK_TIMEOUT = "2s"
"""Dropping waits so long for those who read; whoever comes after it waits as well, so it gives way soon."""

_ROWS_A_TRANSACTION = 20_000


@dataclass(frozen=True, slots=True)
class Leaving:
    """Rows of a hot table, by their sequence from `first` to `last`; `partition` where they are all of one."""

    table: Table
    first: int
    last: int
    partition: str | None = None

    @property
    def source(self) -> FromClause:
        """What to read them from."""
        if self.partition is None:
            return self.table
        return table(self.partition, *(column(each.name, each.type) for each in self.table.c))


class BusyPartitionError(Exception):
    """Others are reading for too long; it can be dropped another time."""


def rows_to_leave(engine: Engine, hot: Table, last: int) -> Iterator[Leaving]:
    """The rows up to a sequence, in batches that keep no writer waiting long."""
    with read_only(engine).connect() as connection:
        first = connection.scalar(select(func.min(hot.c.sequence)))
    if first is not None:
        for start in range(first, last + 1, _ROWS_A_TRANSACTION):
            yield Leaving(hot, start, min(start + _ROWS_A_TRANSACTION - 1, last))


def partitions_to_leave(engine: Engine, hot: Table, last: int, horizon: float) -> Iterator[Leaving]:
    """The partitions of before a moment with no sequence above `last`; those of requests after those of their spans."""
    with read_only(engine).connect() as connection:
        waited_for = {partition.period for partition in partitions(connection, spans)} if hot is requests else set()
        found = [
            _bounds(connection, hot, partition.name)
            for partition in partitions(connection, hot)
            if partition.period.until <= horizon and partition.period not in waited_for
        ]
    yield from (leaving for leaving in found if leaving.last <= last)


def _bounds(connection: Connection, hot: Table, partition: str) -> Leaving:
    sequence = Leaving(hot, 0, 0, partition).source.c.sequence
    first, last = connection.execute(select(func.min(sequence), func.max(sequence))).one()
    return Leaving(hot, first or 0, last or 0, partition)


def left(engine: Engine, leaving: Leaving) -> int:
    """Take rows away for good; how many those were. A partition in use is left for another time."""
    try:
        with engine.begin() as connection:
            alone(connection, Lock.ROLL_UP)
            return take_away(connection, leaving)
    except BusyPartitionError:
        return 0


def take_away(connection: Connection, leaving: Leaving) -> int:
    """Delete rows, or drop their partition; how many those were. Hold Lock.ROLL_UP: roll-ups may be reading them.

    Raises BusyPartitionError where somebody uses the partition, or has put a row into it; end the transaction then.
    """
    if leaving.partition is None:
        within = leaving.table.c.sequence.between(leaving.first, leaving.last)
        return connection.execute(delete(leaving.table).where(within)).rowcount
    try:
        return _dropped(connection, leaving)
    except OperationalError as error:
        log.info("partition_in_use", partition=leaving.partition)
        raise BusyPartitionError from error


def _dropped(connection: Connection, leaving: Leaving) -> int:
    """Counted once nobody can write into it any more, and while everybody can still read it."""
    alone(connection, Lock.PARTITIONS)
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"LOCK TABLE {leaving.partition} IN SHARE MODE"))
    count, last = connection.execute(select(func.count(), func.max(leaving.source.c.sequence))).one()
    if (last or 0) > leaving.last:
        raise BusyPartitionError
    connection.execute(text(f"DROP TABLE {leaving.partition}"))
    return int(count)
