"""Read the rollups as the series that detection works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, bindparam, select

from detection.types import (
    DELAY_EDGES_SECONDS,
    DURATION_EDGES_MS,
    QUERY_EDGES,
    EndpointSeries,
    Floats,
    FunnelSeries,
    Integers,
)
from storage.telemetry.funnels.rollup import EVERYONE
from storage.telemetry.rows.bulk import read_columns
from storage.telemetry.rows.histogram_blobs import dense
from storage.telemetry.rows.tables import endpoint_buckets, funnel_buckets, funnel_marks


def funnel_series(
    connection: Connection,
    funnel_id: int,
    *,
    since: float,
    until: float,
    bucket_seconds: int,
    everyone_only: bool = False,
) -> Sequence[FunnelSeries]:
    """Return the everyone series first, even if it is empty, then the segments. Empty for a funnel never rolled up."""
    step_count = connection.scalar(select(funnel_marks.c.step_count).where(funnel_marks.c.funnel_id == funnel_id))
    if step_count is None:
        return []
    columns = funnel_buckets.c
    query = (
        select(columns.dimension, columns.value, columns.bucket_start, columns.entries)
        .add_columns(columns.reached, columns.converted_by_delay)
        .where(
            columns.funnel_id == funnel_id,
            columns.resolution == bucket_seconds,
            columns.bucket_start >= since,
            columns.bucket_start < until,
            columns.entries > 0,
        )
        .order_by(columns.bucket_start)
    )
    if everyone_only:
        query = query.where(columns.dimension == EVERYONE[0], columns.value == EVERYONE[1])
    # Ordered by time, like the primary key: sorting histograms by segment in the database is slower than reading them.
    dimensions, values, starts, entries, reached, delays = read_columns(connection, query)
    numbers: dict[tuple[str, str], int] = {EVERYONE: 0}
    segments = np.array(
        [numbers.setdefault(key, len(numbers)) for key in zip(dimensions, values, strict=True)], dtype=np.int64
    )
    table = _Table(
        np.array(starts, dtype=np.float64),
        _integers(entries),
        dense(reached, step_count),
        dense(delays, len(DELAY_EDGES_SECONDS) + 1),
    )
    rows = np.split(np.argsort(segments, kind="stable"), np.cumsum(np.bincount(segments, minlength=len(numbers)))[:-1])
    return [_funnel_series(funnel_id, key, table, rows[number]) for key, number in sorted(numbers.items())]


def endpoint_series(
    connection: Connection, *, since: float, until: float, bucket_seconds: int
) -> Sequence[EndpointSeries]:
    """Return one series per service and endpoint, ordered by name."""
    columns = endpoint_buckets.c
    query = (
        select(endpoint_buckets)
        .where(columns.resolution == bucket_seconds, columns.bucket_start >= since, columns.bucket_start < until)
        .order_by(columns.service, columns.endpoint, columns.bucket_start)
    )
    found = groupby(connection.execute(query), key=lambda row: (row.service, row.endpoint))
    return [_endpoint_series(service, endpoint, list(rows)) for (service, endpoint), rows in found]


def series_of(
    connection: Connection,
    endpoints: Sequence[tuple[str, str]],
    *,
    since: float,
    until: float,
    bucket_seconds: int,
) -> Sequence[EndpointSeries]:
    """Return the series of a few endpoints, ordered by name; endpoints without a bucket are left out.

    The primary key begins with the time, so each bucket is looked up by its exact key: a time range would read the
    buckets of all endpoints.
    """
    columns = endpoint_buckets.c
    first = -(-since // bucket_seconds)
    starts = [number * bucket_seconds for number in range(int(first), int(-(-until // bucket_seconds)))]
    query = (
        select(endpoint_buckets)
        .where(columns.resolution == bucket_seconds, columns.bucket_start.in_(bindparam("starts", expanding=True)))
        .where(columns.service == bindparam("service"), columns.endpoint == bindparam("endpoint"))
        .order_by(columns.bucket_start)
    )
    found = (
        (name, connection.execute(query, {"starts": starts, "service": name[0], "endpoint": name[1]}).all())
        for name in sorted(set(endpoints))
    )
    return [_endpoint_series(*name, rows) for name, rows in found if rows]


@dataclass(frozen=True, slots=True)
class _Table:
    """The buckets of all segments of a funnel, as columns ordered by time."""

    starts: Floats
    entries: Integers
    reached: Integers
    converted_by_delay: Integers


def _funnel_series(funnel_id: int, key: tuple[str, str], table: _Table, rows: Integers) -> FunnelSeries:
    dimension, value = (None, None) if key == EVERYONE else key
    return FunnelSeries(
        funnel_id=funnel_id,
        dimension=dimension,
        value=value,
        bucket_starts=table.starts[rows],
        entries=table.entries[rows],
        reached=table.reached[rows],
        converted_by_delay=table.converted_by_delay[rows],
    )


def _endpoint_series(service: str, endpoint: str, rows: Sequence[Row[Any]]) -> EndpointSeries:
    return EndpointSeries(
        service=service,
        endpoint=endpoint,
        bucket_starts=np.array([row.bucket_start for row in rows], dtype=np.float64),
        request_count=_integers([row.request_count for row in rows]),
        error_count=_integers([row.error_count for row in rows]),
        query_sum=_integers([row.query_sum for row in rows]),
        duration_histogram=dense([row.duration_histogram for row in rows], len(DURATION_EDGES_MS) + 1),
        query_histogram=dense([row.query_histogram for row in rows], len(QUERY_EDGES) + 1),
    )


def _integers(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)
