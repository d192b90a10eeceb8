"""The cold store: move records from the hot store into the archive's Parquet files, each exactly once despite crashes.

Each batch takes three steps. Its rows are written to draft files. One transaction deletes the rows from the hot store
and records the drafts' token in `archived_batches`. The drafts are renamed into place. After a crash the next pass
looks for the token of each draft left behind: if the token is missing the transaction never committed, and the draft is
deleted; otherwise the draft is renamed into place now. Only one pass at a time works on a directory: it holds a lock on
a file in it, which is released when its process ends.
"""

from __future__ import annotations

import fcntl
import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import ColumnElement, Connection, Engine, delete, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from storage.database.gaps import let_others_write
from storage.database.locks import Lock, lock_exclusive
from storage.database.session import read_only
from storage.telemetry.archive.compaction import compact, finish_compaction
from storage.telemetry.archive.files import quoted, sync
from storage.telemetry.archive.layout import (
    DRAFTS,
    KINDS,
    PERSON,
    REWRITE,
    Draft,
    Kind,
    day_of,
    days,
    drafts,
    kind_of,
    new_draft,
)
from storage.telemetry.hot.eviction import BusyPartitionError, EvictionBatch, delete_batch, evict
from storage.telemetry.people.whose import person_column
from storage.telemetry.rows.bulk import Row, insert_new
from storage.telemetry.rows.tables import archived_batches

_LOCK = "lock"
_ROWS_PER_FILE = 20_000


@contextmanager
def locked(directory: Path, *, wait: bool) -> Iterator[bool]:
    """Hold the exclusive lock on an archive directory within the block.

    wait: whether to wait for another holder. Without waiting, yield False if another process holds the lock.
    """
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


class Archive:
    """Parquet files below `directory`, one directory per day of records, kept for `keep_days` days.

    Call the methods within `locked`.
    """

    def __init__(self, directory: Path, *, keep_days: int) -> None:
        self.directory = directory
        self._keep_days = keep_days

    def recover(self, engine: Engine) -> None:
        """Finish or undo what a crashed pass left behind."""
        finish_compaction(self.directory)
        for unfinished in (self.directory / DRAFTS).glob(f"*{REWRITE}"):
            unfinished.unlink()
        written = list(drafts(self.directory))
        with read_only(engine).connect() as connection:
            evicted = [draft for draft in written if _was_evicted(connection, draft)]
        self._discard([draft for draft in written if draft not in evicted])
        self._put_in_place(engine, evicted)

    def move(self, engine: Engine, batch: EvictionBatch) -> int:
        """Evict a batch from the hot store; if its kind is archived, write it to the archive durably first.

        Return how many rows were evicted. Raises OSError when the disk is full; then nothing was evicted.
        """
        kind = kind_of(batch.table)
        if kind is None:
            return evict(engine, batch)
        while True:
            rows, written = self._draft(engine, kind, batch)
            try:
                gone = self._evict(engine, batch, rows, written)
            except BusyPartitionError:
                self._discard(written)
                return 0
            if gone is not None:
                self._put_in_place(engine, written)
                let_others_write(engine)
                return gone
            # Rows were erased (a person was forgotten) while the drafts were being written: write them again.
            self._discard(written)

    def _evict(self, engine: Engine, batch: EvictionBatch, rows: int, written: Sequence[Draft]) -> int | None:
        """Evict the batch and record the drafts' tokens in one transaction; return how many rows.

        Return None, and change nothing, if the number of rows is no longer what was written to the drafts.
        """
        with engine.begin() as connection:
            lock_exclusive(connection, Lock.ROLL_UP)
            gone = delete_batch(connection, batch)
            if gone != rows:
                connection.rollback()
                return None
            insert_new(connection, archived_batches, ("token",), sorted({(draft.token,) for draft in written}))
            return gone

    def compact(self) -> None:
        """Merge the small files of each day."""
        compact(self.directory)

    def drop_old(self, now: float) -> None:
        """Delete the days past their retention."""
        oldest = (datetime.fromtimestamp(now, UTC) - timedelta(days=self._keep_days)).date()
        for kind in KINDS:
            for day, path in days(self.directory, kind.name):
                if day < oldest:
                    shutil.rmtree(path)

    def _draft(self, engine: Engine, kind: Kind, batch: EvictionBatch) -> tuple[int, list[Draft]]:
        """Write a batch to draft files of one day and at most _ROWS_PER_FILE rows each; return how many rows."""
        written: list[Draft] = []
        count = 0
        token = secrets.token_hex(8)
        with read_only(engine).connect() as connection:
            for chunk in _read(connection, kind, batch):
                count += len(chunk.rows)
                written += self._draft_days(kind, chunk, token)
        if written:
            sync(self.directory / DRAFTS)
        return count, written

    def _draft_days(self, kind: Kind, chunk: _Chunk, token: str) -> Iterator[Draft]:
        """Write one file per day."""
        moment = list(kind.columns).index(kind.moment)
        by_day: dict[date, list[Row]] = defaultdict(list)
        for row in chunk.rows:
            by_day[day_of(row[moment])].append(row)
        for day, some in by_day.items():
            draft = new_draft(self.directory, kind.name, day, chunk.first, chunk.last, token)
            draft.path.parent.mkdir(parents=True, exist_ok=True)
            write_parquet(draft.path, kind, some)
            yield draft

    def _put_in_place(self, engine: Engine, written: Sequence[Draft]) -> None:
        for draft in written:
            home = draft.home(self.directory)
            home.parent.mkdir(parents=True, exist_ok=True)
            draft.path.rename(home)
            sync(home.parent)
        if written:
            sync(self.directory / DRAFTS)
            with engine.begin() as connection:
                tokens = {draft.token for draft in written}
                connection.execute(delete(archived_batches).where(archived_batches.c.token.in_(tokens)))

    def _discard(self, written: Sequence[Draft]) -> None:
        for draft in written:
            draft.path.unlink()


def write_parquet(path: Path, kind: Kind, rows: Sequence[Row]) -> None:
    """Write rows of the kind's columns to a Parquet file, durable on return. Remove the file if writing fails."""
    import duckdb

    columns = {
        name: np.array(values, dtype=object if sql_type == "VARCHAR" else None)
        for (name, sql_type), values in zip(kind.columns.items(), zip(*rows, strict=True), strict=True)
    }
    chosen = ", ".join(_converted(name, sql_type) for name, sql_type in kind.columns.items())
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.register("rows", columns)
            connection.execute(
                f"COPY (SELECT {chosen} FROM rows) TO '{quoted(path)}' (FORMAT parquet, COMPRESSION zstd)"  # noqa: S608 - own names
            )
        sync(path)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, duckdb.IOException):
            raise OSError(str(error)) from error
        raise


def _converted(name: str, sql_type: str) -> str:
    value = f"make_timestamp(CAST(round({name} * 1e6) AS BIGINT))" if sql_type == "TIMESTAMP" else name
    return f"CAST({value} AS {sql_type}) AS {name}"


class _Chunk(NamedTuple):
    """Rows for one draft file per day: values of a kind's columns, ordered by sequence from `first` to `last`."""

    first: int
    last: int
    rows: Sequence[Row]


def _read(connection: Connection, kind: Kind, batch: EvictionBatch) -> Iterator[_Chunk]:
    """Read a batch in the order of its sequence, at most _ROWS_PER_FILE rows at a time."""
    source = batch.source.c
    sequence = source.sequence
    query = select(sequence, *_values(kind, source)).order_by(sequence).limit(_ROWS_PER_FILE)
    last = batch.first - 1
    while found := connection.execute(query.where(sequence > last, sequence <= batch.last)).all():
        chunk = _Chunk(found[0].sequence, found[-1].sequence, [tuple(row[1:]) for row in found])
        yield chunk
        last = chunk.last


def _values(kind: Kind, source: ReadOnlyColumnCollection[str, Any]) -> list[ColumnElement[Any]]:
    """Return the columns to read of a kind. Whose an event is, is looked up."""
    return [
        person_column(source[kind.person]).label(name) if name == PERSON and kind.person else source[name]
        for name in kind.columns
    ]


def _was_evicted(connection: Connection, draft: Draft) -> bool:
    """Tell whether the transaction that evicts a draft's rows has committed."""
    recorded = select(archived_batches.c.token).where(archived_batches.c.token == draft.token)
    return connection.execute(recorded).first() is not None or not _is_hot(connection, draft)


def _is_hot(connection: Connection, draft: Draft) -> bool:
    """Tell whether any of a draft's rows is still in the hot store.

    Versions before 0.2 did not record tokens, so a missing token alone does not prove that nothing was evicted.
    """
    table = next(kind.table for kind in KINDS if kind.name == draft.kind)
    within = table.c.sequence.between(draft.first, draft.last)
    return connection.execute(select(table.c.sequence).where(within).limit(1)).first() is not None
