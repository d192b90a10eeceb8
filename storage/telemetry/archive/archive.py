"""The cold store: what leaves the hot store goes into Parquet files first, each record once whatever dies when.

One batch at a time is written into drafts, then taken out of the hot store in one transaction, which also notes the
drafts' token, then the drafts are moved into place. A pass that died left drafts behind; the next one looks for their
token: without it the transaction never happened and the drafts are thrown away, else they are moved into place now. One
pass at a time works on a directory (a lock on a file of it, freed when its process ends).
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
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, Engine, delete, select

from storage.database.locks import Lock, alone
from storage.database.session import read_only
from storage.telemetry.archive.compaction import compact, finish_compaction
from storage.telemetry.archive.files import quoted, sync
from storage.telemetry.archive.layout import (
    DRAFTS,
    KINDS,
    REWRITE,
    Draft,
    Kind,
    day_of,
    days,
    drafts,
    kind_of,
    new_draft,
)
from storage.telemetry.hot.eviction import BusyPartitionError, Leaving, left, take_away
from storage.telemetry.rows.bulk import Row, insert_new
from storage.telemetry.rows.tables import archived_batches

_LOCK = "lock"
_ROWS_A_FILE = 20_000


@contextmanager
def held(directory: Path, *, wait: bool) -> Iterator[bool]:
    """Be the only one to change a directory's archive while the block lasts; gives False if another is at it."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


class Archive:
    """Parquet files below `directory`, kept for `keep_days` after the day they are of. Call within `held`."""

    def __init__(self, directory: Path, *, keep_days: int) -> None:
        self.directory = directory
        self._keep_days = keep_days

    def recover(self, engine: Engine) -> None:
        """Finish what a pass that died had begun."""
        finish_compaction(self.directory)
        for unfinished in (self.directory / DRAFTS).glob(f"*{REWRITE}"):
            unfinished.unlink()
        written = list(drafts(self.directory))
        with read_only(engine).connect() as connection:
            have_left = [draft for draft in written if _has_left(connection, draft)]
        self._discard([draft for draft in written if draft not in have_left])
        self._put_in_place(engine, have_left)

    def move(self, engine: Engine, leaving: Leaving) -> int:
        """Take rows out of the hot store; those of an archived kind are durable in here before.

        Returns how many went. Raises OSError when there is no room; then nothing went.
        """
        kind = kind_of(leaving.table)
        if kind is None:
            return left(engine, leaving)
        while True:
            rows, written = self._draft(engine, kind, leaving)
            try:
                gone = self._left(engine, leaving, rows, written)
            except BusyPartitionError:
                self._discard(written)
                return 0
            if gone is not None:
                self._put_in_place(engine, written)
                return gone
            # Somebody was forgotten while their rows were being written.
            self._discard(written)

    def _left(self, engine: Engine, leaving: Leaving, rows: int, written: Sequence[Draft]) -> int | None:
        """Let what was written leave the hot store, and say so in the same transaction; None if that is not all."""
        with engine.begin() as connection:
            alone(connection, Lock.ROLL_UP)
            gone = take_away(connection, leaving)
            if gone != rows:
                connection.rollback()
                return None
            insert_new(connection, archived_batches, ("token",), sorted({(draft.token,) for draft in written}))
            return gone

    def compact(self) -> None:
        """Put the small files of a day together."""
        compact(self.directory)

    def drop_old(self, now: float) -> None:
        """Let go of the days past their retention."""
        oldest = (datetime.fromtimestamp(now, UTC) - timedelta(days=self._keep_days)).date()
        for kind in KINDS:
            for day, path in days(self.directory, kind.name):
                if day < oldest:
                    shutil.rmtree(path)

    def _draft(self, engine: Engine, kind: Kind, leaving: Leaving) -> tuple[int, list[Draft]]:
        """Write a batch's rows, files of _ROWS_A_FILE at most and of one day each; returns how many rows that were."""
        written: list[Draft] = []
        count = 0
        token = secrets.token_hex(8)
        with read_only(engine).connect() as connection:
            for batch in _read(connection, kind, leaving):
                count += len(batch.rows)
                written += self._draft_days(kind, batch, token)
        if written:
            sync(self.directory / DRAFTS)
        return count, written

    def _draft_days(self, kind: Kind, batch: _Batch, token: str) -> Iterator[Draft]:
        """Write one file per day."""
        moment = list(kind.columns).index(kind.moment)
        by_day: dict[date, list[Row]] = defaultdict(list)
        for row in batch.rows:
            by_day[day_of(row[moment])].append(row)
        for day, some in by_day.items():
            draft = new_draft(self.directory, kind.name, day, batch.first, batch.last, token)
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
    """Write rows of the kind's columns, durable when it returns; an unfinished file is taken away again."""
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


class _Batch(NamedTuple):
    """Rows of a kind's columns, in the order of their sequence: from `first` to `last`."""

    first: int
    last: int
    rows: Sequence[Row]


def _read(connection: Connection, kind: Kind, leaving: Leaving) -> Iterator[_Batch]:
    """Read rows by sequence, at most _ROWS_A_FILE at a time."""
    source = leaving.source.c
    sequence = source.sequence
    query = select(sequence, *(source[name] for name in kind.columns)).order_by(sequence).limit(_ROWS_A_FILE)
    last = leaving.first - 1
    while found := connection.execute(query.where(sequence > last, sequence <= leaving.last)).all():
        batch = _Batch(found[0].sequence, found[-1].sequence, [tuple(row[1:]) for row in found])
        yield batch
        last = batch.last


def _has_left(connection: Connection, draft: Draft) -> bool:
    """Whether the transaction happened that took a draft's rows out of the hot store."""
    said = select(archived_batches.c.token).where(archived_batches.c.token == draft.token)
    return connection.execute(said).first() is not None or not _is_hot(connection, draft)


def _is_hot(connection: Connection, draft: Draft) -> bool:
    """Whether any of a draft's rows is still in the hot store: versions before 0.2 did not say what had left."""
    table = next(kind.table for kind in KINDS if kind.name == draft.kind)
    within = table.c.sequence.between(draft.first, draft.last)
    return connection.execute(select(table.c.sequence).where(within).limit(1)).first() is not None
