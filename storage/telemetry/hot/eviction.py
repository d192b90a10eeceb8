"""Evict old records from the hot store in short transactions: delete rows, or drop a partition on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, FromClause, Table, column, delete, func, select, table, text
from sqlalchemy.exc import OperationalError

from storage.database.gaps import let_others_write
from storage.database.locks import Lock, lock_exclusive
from storage.database.session import read_only
from storage.telemetry.hot.partitions import partitions
from storage.telemetry.rows.tables import requests, spans

log = structlog.get_logger()

LOCK_TIMEOUT = "2s"
"""How long dropping a partition waits for readers. It gives up soon, because later requests queue behind it."""

_ROWS_PER_TRANSACTION = 5_000


@dataclass(frozen=True, slots=True)
class EvictionBatch:
    """Rows of a hot table to evict in one transaction: sequences `first` to `last`, both inclusive.

    partition: the partition to drop whole; None to delete rows.
    """

    table: Table
    first: int
    last: int
    partition: str | None = None

    @property
    def source(self) -> FromClause:
        """The table or partition to read the rows from."""
        if self.partition is None:
            return self.table
        return table(self.partition, *(column(each.name, each.type) for each in self.table.c))


class BusyPartitionError(Exception):
    """The partition is in use. Try to drop it again later."""


def row_batches(engine: Engine, hot_table: Table, last: int) -> Iterator[EvictionBatch]:
    """Yield the rows up to sequence `last`, in batches small enough not to block writers for long."""
    with read_only(engine).connect() as connection:
        first = connection.scalar(select(func.min(hot_table.c.sequence)))
    if first is not None:
        for start in range(first, last + 1, _ROWS_PER_TRANSACTION):
            yield EvictionBatch(hot_table, start, min(start + _ROWS_PER_TRANSACTION - 1, last))


def partition_batches(engine: Engine, hot_table: Table, last: int, horizon: float) -> Iterator[EvictionBatch]:
    """Yield the partitions that end by `horizon` and hold no sequence above `last`.

    A partition of requests is kept until the partition of spans of the same period is gone.
    """
    with read_only(engine).connect() as connection:
        span_periods = {each.period for each in partitions(connection, spans)} if hot_table is requests else set()
        found = [
            _bounds(connection, hot_table, partition.name)
            for partition in partitions(connection, hot_table)
            if partition.period.until <= horizon and partition.period not in span_periods
        ]
    yield from (batch for batch in found if batch.last <= last)


def _bounds(connection: Connection, hot_table: Table, partition: str) -> EvictionBatch:
    sequence = EvictionBatch(hot_table, 0, 0, partition).source.c.sequence
    first, last = connection.execute(select(func.min(sequence), func.max(sequence))).one()
    return EvictionBatch(hot_table, first or 0, last or 0, partition)


def evict(engine: Engine, batch: EvictionBatch) -> int:
    """Evict a batch without archiving it; return how many rows. Skip a partition that is in use: return 0."""
    try:
        with engine.begin() as connection:
            lock_exclusive(connection, Lock.ROLL_UP)
            gone = delete_batch(connection, batch)
    except BusyPartitionError:
        return 0
    let_others_write(engine)
    return gone


def delete_batch(connection: Connection, batch: EvictionBatch) -> int:
    """Delete the rows of a batch, or drop its partition; return how many rows.

    The caller holds Lock.ROLL_UP, because roll-ups may be reading the rows. Raises BusyPartitionError when the
    partition is in use or has received a row since; the caller must then end the transaction.
    """
    if batch.partition is None:
        within = batch.table.c.sequence.between(batch.first, batch.last)
        return connection.execute(delete(batch.table).where(within)).rowcount
    try:
        return _drop_partition(connection, batch)
    except OperationalError as error:
        log.info("partition_in_use", partition=batch.partition)
        raise BusyPartitionError from error


def _drop_partition(connection: Connection, batch: EvictionBatch) -> int:
    """Count the rows under a lock that blocks writers and allows readers, then drop the partition."""
    lock_exclusive(connection, Lock.PARTITIONS)
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"LOCK TABLE {batch.partition} IN SHARE MODE"))
    count, last = connection.execute(select(func.count(), func.max(batch.source.c.sequence))).one()
    if (last or 0) > batch.last:
        raise BusyPartitionError
    connection.execute(text(f"DROP TABLE {batch.partition}"))
    return int(count)
