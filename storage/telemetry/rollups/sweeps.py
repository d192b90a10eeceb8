"""Delete old rows a stretch at a time, in transactions so short that nobody waits long for one."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, Delete, Engine, delete, select

from storage.database.gaps import let_others_write
from storage.database.locks import Lock, lock_exclusive
from storage.database.session import read_only
from storage.telemetry.rollups.passes import PassSize


def delete_at_once(engine: Engine, *statements: Delete) -> int:
    """Delete few rows in one transaction; return how many."""
    with engine.begin() as connection:
        lock_exclusive(connection, Lock.ROLL_UP)
        gone = sum(connection.execute(statement).rowcount for statement in statements)
    let_others_write(engine)
    return gone


def sweep(
    engine: Engine,
    moment: Column[float],
    *scope: ColumnElement[bool],
    below: float | None = None,
    only: Sequence[ColumnElement[bool]] = (),
) -> int:
    """Delete the rows of `moment`'s table whose moment lies below `below`; return how many.

    scope: equalities on the columns that an index has before `moment`. only: what else a row to be deleted fulfils.
    Each transaction looks at one stretch of moments, as many rows as take about AIM_SECONDS.
    """
    table, size, gone = moment.table, PassSize(), 0
    past = [*scope] if below is None else [*scope, moment < below]
    last: float | None = None
    while True:
        stretch = [*past] if last is None else [*past, moment > last]
        with read_only(engine).connect() as connection:
            ends = select(moment).where(*stretch).order_by(moment)
            if connection.scalar(ends.limit(1)) is None:
                return gone
            last = connection.scalar(ends.offset(size.records - 1).limit(1))
        within = stretch if last is None else [*stretch, moment <= last]
        with engine.begin() as connection:
            lock_exclusive(connection, Lock.ROLL_UP)
            began = time.perf_counter()
            gone += connection.execute(delete(table).where(*within, *only)).rowcount
            size.measured(size.records if last is not None else 0, time.perf_counter() - began)
        if last is None:
            return gone
        let_others_write(engine)
