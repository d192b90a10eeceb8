"""Append records to the hot store: one durable commit per call; duplicates are counted and not stored again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter

from sqlalchemy import Delete, Engine, Table

from storage.database.patience import Patience, current_patience
from storage.database.session import BUSY_TIMEOUT_SECONDS
from storage.errors import DatabaseUnavailableError
from storage.telemetry.hot.append_postgresql import copy_new
from storage.telemetry.hot.partitions import are_used
from storage.telemetry.protocol import Appended
from storage.telemetry.rows.bulk import Row, insert_new


class Appender:
    """Appends rows to the hot tables of one engine. Safe to use from any number of threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing = threading.Lock()

    def append(self, table: Table, columns: Sequence[str], rows: Sequence[Row], *, key_columns: int = 1) -> Appended:
        """Append rows, in one commit. Their first `key_columns` columns are the unique key."""
        if not rows:
            return Appended(0, 0)
        if are_used(self._engine):
            return self._copy_groups(table, columns, [rows])[0]
        with self._one_writer(), self._engine.begin() as connection:
            accepted = insert_new(connection, table, columns, _in_order(rows, key_columns))
        return Appended(accepted=accepted, duplicates=len(rows) - accepted)

    def append_groups(
        self, table: Table, columns: Sequence[str], groups: Sequence[Sequence[Row]]
    ) -> Sequence[Appended]:
        """Append several groups in one commit; return the result of each.

        Nearly always all rows are new. Otherwise the insert is rolled back and repeated group by group, to count the
        duplicates of each.
        """
        if are_used(self._engine):
            return self._copy_groups(table, columns, groups)
        if self._append_new(table, columns, [row for group in groups for row in group]):
            return [Appended(accepted=len(group), duplicates=0) for group in groups]
        with self._one_writer(), self._engine.begin() as connection:
            accepted = [insert_new(connection, table, columns, group) if group else 0 for group in groups]
        return [Appended(new, len(group) - new) for new, group in zip(accepted, groups, strict=True)]

    def remove(self, statement: Delete) -> None:
        """Delete rows that others take the place of."""
        with self._one_writer(), self._engine.begin() as connection:
            connection.execute(statement)

    def _copy_groups(self, table: Table, columns: Sequence[str], groups: Sequence[Sequence[Row]]) -> Sequence[Appended]:
        accepted = copy_new(self._engine, table, columns, groups)
        return [Appended(new, len(group) - new) for new, group in zip(accepted, groups, strict=True)]

    def _append_new(self, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> bool:
        """Append rows if all of them are new; otherwise append nothing and return False."""
        with self._one_writer(), self._engine.connect() as connection, connection.begin() as transaction:
            is_new = insert_new(connection, table, columns, _in_order(rows, 1)) == len(rows)
            if not is_new:
                transaction.rollback()
        return is_new

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """Let one writer at a time into the block, through a lock in this process.

        SQLite's own waiting writers poll, up to 100 ms apart; waiters on this lock are woken at once. A single writer
        can also finish SQLite's checkpoints, without which the write-ahead log grows as long as others write. Raises
        DatabaseUnavailableError if the lock is not free within the wait budget.
        """
        patience = current_patience() or Patience(BUSY_TIMEOUT_SECONDS)
        with patience.spending() as seconds:
            is_my_turn = self._writing.acquire(timeout=seconds)
        if not is_my_turn:
            raise DatabaseUnavailableError("The database is locked.")
        try:
            yield
        finally:
            self._writing.release()


def _in_order(rows: Sequence[Row], key_columns: int) -> Sequence[Row]:
    """Sort rows by key. All batches use the same order, so that two batches with the same records cannot deadlock."""
    return sorted(rows, key=itemgetter(*range(key_columns)))
