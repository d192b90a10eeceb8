"""Delete or archive data past its retention, in short transactions that do not block writers for long.

Retention in the hot store counts from a record's arrival. Imported history therefore stays as long as live data, so
that records sent again are recognised as duplicates. A record is never evicted before it is rolled up, and, if its kind
is archived, never before it is durable in the archive.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, Table, func, select

from storage.database.session import read_only
from storage.telemetry.archive.cold_store import Archive, locked
from storage.telemetry.endpoints.names import oldest_name_kept
from storage.telemetry.funnels.expiry import drop_old_attempts, drop_old_funnel_counts, drop_removed_funnels
from storage.telemetry.hot.eviction import evict, partition_batches, row_batches
from storage.telemetry.hot.partitions import are_used, prepare_partitions
from storage.telemetry.hot.window import hot_seconds
from storage.telemetry.logs.expiry import drop_old_logs
from storage.telemetry.metrics.expiry import drop_metrics
from storage.telemetry.people.expiry import drop_old_links
from storage.telemetry.rollups.buckets import RETENTION_SECONDS, oldest_kept
from storage.telemetry.rollups.marks import mark
from storage.telemetry.rollups.sweeps import sweep
from storage.telemetry.rows.tables import (
    endpoint_buckets,
    endpoint_names,
    events,
    log_records,
    metric_points,
    requests,
    spans,
)


def expire(engine: Engine, archive: Archive | None = None, *, now: float) -> int:
    """Delete what is past its retention; return how many rows.

    With an archive, hot records are moved there. Raises OSError when the archive's disk is full; then they stay in the
    hot store. If another process is archiving, nothing is deleted and 0 returned. On PostgreSQL hot records are evicted
    by whole partitions, up to an hour (or a day, for partitions of a day) later, and the next partitions are created.
    """
    prepare_partitions(engine, now=now)
    if archive is None:
        return _expire(engine, None, now)
    with locked(archive.directory, wait=False) as is_alone:
        if not is_alone:
            return 0
        archive.recover(engine)
        gone = _expire(engine, archive, now)
        archive.drop_old(now)
        archive.compact()
        return gone


def _expire(engine: Engine, archive: Archive | None, now: float) -> int:
    with read_only(engine).connect() as connection:
        horizon = now - hot_seconds(connection)
        last_event = min(_last_expired(connection, events, horizon), mark(connection, "events"))
        last_span = min(_last_expired(connection, spans, horizon), mark(connection, "spans"))
        last_log = min(_last_expired(connection, log_records, horizon), mark(connection, "logs"))
        last_point = min(_last_expired(connection, metric_points, horizon), mark(connection, "points"))
    ends = (
        (events, last_event),
        (spans, last_span),
        (requests, last_span),
        (log_records, last_log),
        (metric_points, last_point),
    )
    gone = sum(_evict_up_to(engine, archive, table, last, horizon) for table, last in ends)
    gone += drop_removed_funnels(engine) + drop_old_attempts(engine, horizon)
    gone += drop_old_funnel_counts(engine, now)
    gone += drop_old_links(engine, now)
    gone += _drop_endpoint_buckets(engine, now)
    gone += sweep(engine, endpoint_names.c.seen_at, below=oldest_name_kept(now))
    gone += drop_metrics(engine, now)
    return gone + drop_old_logs(engine, now)


def _last_expired(connection: Connection, table: Table, horizon: float) -> int:
    """Return the last sequence before the first record that arrived within the retention."""
    first_kept = connection.scalar(
        select(table.c.sequence).where(table.c.arrived_at >= horizon).order_by(table.c.sequence).limit(1)
    )
    if first_kept is not None:
        return int(first_kept) - 1
    return connection.scalar(select(func.max(table.c.sequence))) or 0


def _evict_up_to(engine: Engine, archive: Archive | None, table: Table, last: int, horizon: float) -> int:
    """Evict or archive records with sequences up to `last`: rows, or partitions that hold nothing newer."""
    batches = partition_batches(engine, table, last, horizon) if are_used(engine) else row_batches(engine, table, last)
    return sum(evict(engine, batch) if archive is None else archive.move(engine, batch) for batch in batches)


def _drop_endpoint_buckets(engine: Engine, now: float) -> int:
    columns = endpoint_buckets.c
    return sum(
        sweep(
            engine,
            columns.bucket_start,
            columns.resolution == bucket_seconds,
            below=oldest_kept(bucket_seconds, now),
        )
        for bucket_seconds in RETENTION_SECONDS
    )
