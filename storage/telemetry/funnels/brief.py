"""Read a funnel's buckets in brief: how many attempts reached each step, without the delay histograms."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection, bindparam, select

from detection.types import DELAY_EDGES_SECONDS, FunnelDefinition
from storage.telemetry.funnels.rollup import EVERYONE
from storage.telemetry.protocol import FunnelLevels
from storage.telemetry.rows.bulk import read_columns
from storage.telemetry.rows.histogram_blobs import unpack
from storage.telemetry.rows.tables import funnel_buckets

_columns = funnel_buckets.c
_BUCKETS = (
    select(_columns.dimension, _columns.value, _columns.bucket_start, _columns.reached, _columns.converted_by_delay)
    .where(
        _columns.funnel_id == bindparam("funnel_id"),
        _columns.resolution == bindparam("resolution"),
        _columns.bucket_start >= bindparam("since"),
        _columns.bucket_start < bindparam("until"),
        _columns.entries > 0,
    )
    .order_by(_columns.bucket_start)
)
"""Built once, because every tick runs it four times per funnel."""


def funnel_levels(
    connection: Connection,
    funnel: FunnelDefinition,
    *,
    since: float,
    until: float,
    bucket_seconds: int,
    horizon_seconds: float,
) -> FunnelLevels:
    """Return all buckets of everyone and of each segment, by time. Conversions are counted within the horizon."""
    asked = {"funnel_id": funnel.funnel_id, "resolution": bucket_seconds, "since": since, "until": until}
    dimensions, values, starts, reached_blobs, delay_blobs = read_columns(connection, _BUCKETS, asked)
    names: dict[tuple[str, str], int] = {}
    rows = [names.setdefault(name, len(names)) for name in zip(dimensions, values, strict=True)]
    reached = np.zeros((len(rows), len(funnel.steps)), dtype=np.int64)
    steps, delays = unpack(reached_blobs), unpack(delay_blobs)
    reached[steps.rows, steps.columns] = steps.counts
    # Like detection: count delays up to the first histogram edge at or past the horizon.
    in_time = delays.columns <= np.searchsorted(DELAY_EDGES_SECONDS, horizon_seconds - 1e-9)
    reached[:, -1] = np.bincount(delays.rows[in_time], delays.counts[in_time], len(rows))
    return FunnelLevels(
        names=[(None, None) if name == EVERYONE else name for name in names],
        rows=np.array(rows, dtype=np.int64),
        bucket_starts=np.array(starts, dtype=np.float64),
        reached=reached,
    )
