"""Delete old buckets of custom metrics, and series and counters that are no longer sent."""

from __future__ import annotations

from sqlalchemy import Engine, delete, select

from storage.database.session import read_only
from storage.telemetry.metrics.counter_rates import LONGEST_GAP_SECONDS
from storage.telemetry.metrics.rollup import METRIC_RETENTION_SECONDS, oldest_metric_bucket
from storage.telemetry.rollups.sweeps import delete_at_once, sweep
from storage.telemetry.rows.tables import metric_buckets, metric_counters, metric_memories, metric_series

UNSEEN_SECONDS = 3 * 86_400.0
"""A series without a point for this long is deleted, which makes room for another one of its metric."""

_IDS_PER_STATEMENT = 500


def drop_metrics(engine: Engine, now: float) -> int:
    """Delete what is past its retention, in short transactions; return how many buckets."""
    columns = metric_buckets.c
    gone = sum(
        sweep(
            engine,
            columns.bucket_start,
            columns.resolution == bucket_seconds,
            below=oldest_metric_bucket(bucket_seconds, now),
        )
        for bucket_seconds in METRIC_RETENTION_SECONDS
    )
    sweep(engine, metric_counters.c.happened_at, below=now - LONGEST_GAP_SECONDS)
    return gone + _drop_unseen(engine, now)


def _drop_unseen(engine: Engine, now: float) -> int:
    """Delete series that are no longer sent, their buckets first, so that a crash leaves no bucket without a series."""
    is_unseen = metric_series.c.seen_at < now - UNSEEN_SECONDS
    with read_only(engine).connect() as connection:
        ids = connection.scalars(select(metric_series.c.id).where(is_unseen)).all()
    gone = 0
    for start in range(0, len(ids), _IDS_PER_STATEMENT):
        some = ids[start : start + _IDS_PER_STATEMENT]
        columns = metric_buckets.c
        for bucket_seconds in METRIC_RETENTION_SECONDS:
            of_these = [columns.series_id.in_(some)]
            gone += sweep(engine, columns.bucket_start, columns.resolution == bucket_seconds, only=of_these)
        counters = delete(metric_counters).where(metric_counters.c.series_id.in_(some))
        memories = delete(metric_memories).where(metric_memories.c.series_id.in_(some))
        delete_at_once(engine, counters, memories, delete(metric_series).where(metric_series.c.id.in_(some), is_unseen))
    return gone
