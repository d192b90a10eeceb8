"""The cold store: what leaves the hot store goes into Parquet files first, each record once whatever dies when.

One batch at a time is written into drafts, then deleted from the hot store in one transaction, then the drafts are
moved into place. A pass that died left drafts behind; the next one looks whether their rows are still in the hot store:
then the transaction never happened and the drafts are thrown away, else they are moved into place now. One pass at a
time works on a directory (a lock on a file of it, freed when its process ends).
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, Engine, Table, delete, select

from storage.locks import Lock, alone
from storage.session import read_only
from storage.telemetry.archive_layout import (
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
from storage.telemetry.bulk import Row

_LOCK = "lock"


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
        for unfinished in (self.directory / DRAFTS).glob(f"*{REWRITE}"):
            unfinished.unlink()
        left = list(drafts(self.directory))
        with read_only(engine).connect() as connection:
            waiting = [draft for draft in left if _is_hot(connection, draft)]
        self._discard(waiting)
        self._put_in_place([draft for draft in left if draft not in waiting])

    def move(self, engine: Engine, table: Table, first: int, last: int) -> int:
        """Take rows out of a hot table, `first` to `last`; those of an archived kind are durable in here before.

        Returns how many went. Raises OSError when there is no room; then nothing went.
        """
        while True:
            kind = kind_of(table)
            rows, written = (0, []) if kind is None else self._draft(engine, kind, first, last)
            with engine.begin() as connection:
                alone(connection, Lock.ROLL_UP)
                gone = _deleted(connection, table, first, last)
                is_whole = kind is None or gone == rows
                if not is_whole:
                    connection.rollback()
            if is_whole:
                self._put_in_place(written)
                return gone
            # Somebody was forgotten while their rows were being written.
            self._discard(written)

    def drop_old(self, now: float) -> None:
        """Let go of the days past their retention."""
        oldest = (datetime.fromtimestamp(now, UTC) - timedelta(days=self._keep_days)).date()
        for kind in KINDS:
            for day, path in days(self.directory, kind.name):
                if day < oldest:
                    shutil.rmtree(path)

    def _draft(self, engine: Engine, kind: Kind, first: int, last: int) -> tuple[int, list[Draft]]:
        """Write a batch's rows, a file for each day; returns how many rows that were."""
        sequence = kind.table.c.sequence
        query = select(*(kind.table.c[name] for name in kind.columns)).where(sequence >= first, sequence <= last)
        with read_only(engine).connect() as connection:
            rows = [tuple(row) for row in connection.execute(query.order_by(sequence))]
        moment = list(kind.columns).index(kind.moment)
        by_day = defaultdict(list)
        for row in rows:
            by_day[day_of(row[moment])].append(row)
        written = []
        for day, some in by_day.items():
            draft = new_draft(self.directory, kind.name, day, first, last, secrets.token_hex(4))
            draft.path.parent.mkdir(parents=True, exist_ok=True)
            write_parquet(draft.path, kind, some)
            written.append(draft)
        if written:
            sync(self.directory / DRAFTS)
        return len(rows), written

    def _put_in_place(self, written: Sequence[Draft]) -> None:
        for draft in written:
            home = draft.home(self.directory)
            home.parent.mkdir(parents=True, exist_ok=True)
            draft.path.rename(home)
            sync(home.parent)

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


def quoted(path: Path) -> str:
    """A path within the quotes of an SQL text."""
    return str(path).replace("'", "''")


def _is_hot(connection: Connection, draft: Draft) -> bool:
    """Whether any of a draft's rows is still in the hot store."""
    table = next(kind.table for kind in KINDS if kind.name == draft.kind)
    within = table.c.sequence.between(draft.first, draft.last)
    return connection.execute(select(table.c.sequence).where(within).limit(1)).first() is not None


def _deleted(connection: Connection, table: Table, first: int, last: int) -> int:
    return connection.execute(delete(table).where(table.c.sequence.between(first, last))).rowcount


def sync(path: Path) -> None:
    """Make a file's content, or a directory's names, outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
