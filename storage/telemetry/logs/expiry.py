"""Delete old counts of log lines, and series without any recent line."""

from __future__ import annotations

from sqlalchemy import Engine, delete, select

from storage.database.session import read_only
from storage.telemetry.logs.buckets import LOG_RETENTION_SECONDS, oldest_log_bucket
from storage.telemetry.protocol import COARSE_SECONDS
from storage.telemetry.rollups.sweeps import delete_at_once, sweep
from storage.telemetry.rows.tables import log_buckets, log_series, template_states

_IDS_PER_STATEMENT = 500


def drop_old_logs(engine: Engine, now: float) -> int:
    """Delete what is past its retention, in short transactions; return how many rows."""
    columns = log_buckets.c
    gone = sum(
        sweep(
            engine,
            columns.bucket_start,
            columns.resolution == bucket_seconds,
            below=oldest_log_bucket(bucket_seconds, now),
        )
        for bucket_seconds in LOG_RETENTION_SECONDS
    )
    return gone + _drop_silent(engine, now)


def _drop_silent(engine: Engine, now: float) -> int:
    """Delete the series without a recent line, and the template states of services without a series."""
    series = log_series.c
    # last_at is accurate only to the hour.
    silent_since = oldest_log_bucket(COARSE_SECONDS, now) - COARSE_SECONDS
    successors = select(series.counted_as).where(series.counted_as.is_not(None))
    is_silent = (series.last_at < silent_since, series.id.not_in(successors))
    is_forgotten = template_states.c.service.not_in(select(series.service))
    with read_only(engine).connect() as connection:
        ids = connection.scalars(select(series.id).where(*is_silent)).all()
        forgotten = connection.scalars(select(template_states.c.service).where(is_forgotten)).all()
    gone = 0
    for start in range(0, len(ids), _IDS_PER_STATEMENT):
        some = ids[start : start + _IDS_PER_STATEMENT]
        gone += delete_at_once(engine, delete(log_series).where(series.id.in_(some), *is_silent))
    if ids or forgotten:
        gone += delete_at_once(engine, delete(template_states).where(is_forgotten))
    return gone
