"""Delete old buckets of custom metrics, and series and counters that are no longer sent."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from storage.telemetry.metrics.counter_rates import LONGEST_GAP_SECONDS
from storage.telemetry.metrics.rollup import METRIC_RETENTION_SECONDS, oldest_metric_bucket
from storage.telemetry.rows.tables import metric_buckets, metric_counters, metric_series

UNSEEN_SECONDS = 3 * 86_400.0
"""A series without a point for this long is deleted, which makes room for another one of its metric."""

_IDS_PER_STATEMENT = 500


def drop_metrics(connection: Connection, now: float) -> int:
    """Delete what is past its retention; return how many buckets. The caller holds Lock.ROLL_UP."""
    columns = metric_buckets.c
    gone = 0
    for bucket_seconds in METRIC_RETENTION_SECONDS:
        oldest = oldest_metric_bucket(bucket_seconds, now)
        old = delete(metric_buckets).where(columns.resolution == bucket_seconds, columns.bucket_start < oldest)
        gone += connection.execute(old).rowcount
    unseen = select(metric_series.c.id).where(metric_series.c.seen_at < now - UNSEEN_SECONDS)
    ids = connection.scalars(unseen).all()
    for start in range(0, len(ids), _IDS_PER_STATEMENT):
        some = ids[start : start + _IDS_PER_STATEMENT]
        gone += connection.execute(delete(metric_buckets).where(columns.series_id.in_(some))).rowcount
        connection.execute(delete(metric_counters).where(metric_counters.c.series_id.in_(some)))
        connection.execute(delete(metric_series).where(metric_series.c.id.in_(some)))
    connection.execute(delete(metric_counters).where(metric_counters.c.happened_at < now - LONGEST_GAP_SECONDS))
    return gone
