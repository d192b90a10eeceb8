"""Delete old counts of log lines, and series without any recent line."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from storage.telemetry.logs.buckets import LOG_RETENTION_SECONDS, oldest_log_bucket
from storage.telemetry.protocol import COARSE_SECONDS
from storage.telemetry.rows.tables import log_buckets, log_series, template_states


def drop_old_logs(connection: Connection, now: float) -> int:
    """Delete what is past its retention; return how many rows."""
    buckets, series = log_buckets.c, log_series.c
    gone = sum(
        connection.execute(
            delete(log_buckets).where(
                buckets.resolution == bucket_seconds, buckets.bucket_start < oldest_log_bucket(bucket_seconds, now)
            )
        ).rowcount
        for bucket_seconds in LOG_RETENTION_SECONDS
    )
    # last_at is accurate only to the hour.
    silent_since = oldest_log_bucket(COARSE_SECONDS, now) - COARSE_SECONDS
    successors = select(series.counted_as).where(series.counted_as.is_not(None))
    silent = delete(log_series).where(series.last_at < silent_since, series.id.not_in(successors))
    gone += connection.execute(silent).rowcount
    forgotten = template_states.c.service.not_in(select(series.service))
    return gone + connection.execute(delete(template_states).where(forgotten)).rowcount
