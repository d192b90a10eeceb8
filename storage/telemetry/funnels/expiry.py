"""Delete old counts of funnels, segment values that nobody counts any more, and attempts that cannot change."""

from __future__ import annotations

from sqlalchemy import Engine, Table, delete, exists, select, tuple_

from storage.database.session import read_only
from storage.models import Funnel
from storage.telemetry.funnels.cell_rollup import CELL_RETENTION_SECONDS, oldest_cells
from storage.telemetry.hot.window import longest_window
from storage.telemetry.people.whose import is_same_person
from storage.telemetry.rollups.buckets import RETENTION_SECONDS, oldest_kept
from storage.telemetry.rollups.sweeps import delete_at_once, sweep
from storage.telemetry.rows.tables import (
    events,
    funnel_buckets,
    funnel_cells,
    funnel_marks,
    funnel_progress,
    segment_values,
)


def drop_old_funnel_counts(engine: Engine, now: float) -> int:
    """Delete buckets and cells past their retention, in short transactions; return how many rows."""
    with read_only(engine).connect() as connection:
        funnel_ids = connection.scalars(select(funnel_marks.c.funnel_id)).all()
    gone = 0
    for funnel_id in funnel_ids:
        for bucket_seconds in RETENTION_SECONDS:
            gone += _sweep(engine, funnel_buckets, funnel_id, bucket_seconds, oldest_kept(bucket_seconds, now))
        for bucket_seconds in CELL_RETENTION_SECONDS:
            gone += _sweep(engine, funnel_cells, funnel_id, bucket_seconds, oldest_cells(bucket_seconds, now))
    _drop_unused_values(engine)
    return gone


def _sweep(engine: Engine, table: Table, funnel_id: int, bucket_seconds: int, below: float | None = None) -> int:
    columns = table.c
    of_these = (columns.funnel_id == funnel_id, columns.resolution == bucket_seconds)
    return sweep(engine, columns.bucket_start, *of_these, below=below)


def drop_removed_funnels(engine: Engine) -> int:
    """Delete all counts of the funnels that are no longer watched, in short transactions; return how many rows.

    A tick that began before the removal may have counted once more since, so it is looked for each time.
    """
    with read_only(engine).connect() as connection:
        removed = select(Funnel.id).where(Funnel.removed_at.is_not(None))
        counted = [
            connection.scalars(select(table.c.funnel_id).where(table.c.funnel_id.in_(removed)).distinct()).all()
            for table in (funnel_marks, funnel_progress, funnel_buckets, funnel_cells)
        ]
    gone = 0
    for funnel_id in sorted(set().union(*counted)):
        delete_at_once(engine, delete(funnel_marks).where(funnel_marks.c.funnel_id == funnel_id))
        for table, sizes in ((funnel_buckets, RETENTION_SECONDS), (funnel_cells, CELL_RETENTION_SECONDS)):
            gone += sum(_sweep(engine, table, funnel_id, bucket_seconds) for bucket_seconds in sizes)
        gone += sweep(engine, funnel_progress.c.entered_at, only=[funnel_progress.c.funnel_id == funnel_id])
        delete_at_once(engine, delete(segment_values).where(segment_values.c.funnel_id == funnel_id))
    return gone


def drop_old_attempts(engine: Engine, horizon: float) -> int:
    """Delete attempts that no event in the hot store can belong to, because they will never be recounted."""
    progress = funnel_progress.c
    with read_only(engine).connect() as connection:
        longest = longest_window(connection)
    could_be_recounted = (
        select(events.c.sequence)
        .where(
            is_same_person(events.c.user_id, progress.user_id),
            events.c.happened_at >= progress.entered_at,
            events.c.happened_at <= progress.entered_at + longest,
        )
        .exists()
    )
    return sweep(engine, progress.entered_at, below=horizon, only=[~could_be_recounted])


def _drop_unused_values(engine: Engine) -> None:
    """Delete segment values without any bucket left, which makes room for other values.

    They are looked for outside a writing transaction, because that reads every bucket.
    """
    buckets, values = funnel_buckets.c, segment_values.c
    in_use = select(buckets.funnel_id, buckets.dimension, buckets.value).distinct()
    key = (values.funnel_id, values.dimension, values.value)
    with read_only(engine).connect() as connection:
        unused = connection.execute(select(*key).where(tuple_(*key).not_in(in_use))).all()
    for funnel_id, dimension, value in unused:
        this = (buckets.funnel_id == funnel_id, buckets.dimension == dimension, buckets.value == value)
        is_unused = ~exists().where(*this)
        delete_at_once(
            engine,
            delete(segment_values).where(
                values.funnel_id == funnel_id, values.dimension == dimension, values.value == value, is_unused
            ),
        )
