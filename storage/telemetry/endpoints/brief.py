"""Read the buckets of endpoints in brief: fast enough for ten thousand endpoints, without full histograms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection, func, select

from detection.types import Integers
from storage.telemetry.protocol import EndpointLevels, EndpointTotals
from storage.telemetry.rows.bulk import read_columns
from storage.telemetry.rows.histogram_blobs import quantile_columns
from storage.telemetry.rows.tables import endpoint_buckets


def endpoint_levels(
    connection: Connection, starts: Sequence[float], *, bucket_seconds: int, minimum_requests: int
) -> list[EndpointLevels]:
    """Read, for each start, the first bucket at or after it of every endpoint with enough requests in it."""
    first = np.ceil(np.asarray(starts, dtype=np.float64) / bucket_seconds) * bucket_seconds
    columns = endpoint_buckets.c
    query = (
        select(columns.service, columns.endpoint, columns.request_count, columns.error_count, columns.query_sum)
        .add_columns(columns.duration_histogram, columns.bucket_start)
        .where(
            columns.resolution == bucket_seconds,
            columns.bucket_start.in_(first.tolist()),
            columns.request_count >= minimum_requests,
        )
    )
    services, endpoints, requests, errors, queries, durations, bucket_starts = read_columns(connection, query)
    everything = EndpointLevels(
        names=list(zip(services, endpoints, strict=True)),
        request_count=np.array(requests, dtype=np.int64),
        error_count=np.array(errors, dtype=np.int64),
        query_sum=np.array(queries, dtype=np.int64),
        p95_bucket=quantile_columns(durations, 0.95),
    )
    read = np.array(bucket_starts, dtype=np.float64)
    return [_part(everything, np.flatnonzero(read == bucket_start)) for bucket_start in first]


def endpoint_totals(
    connection: Connection, start: float, *, bucket_seconds: int, minimum_requests: int
) -> EndpointTotals:
    """Return the sums of the first bucket at or after `start`, of the endpoints with enough requests in it."""
    columns = endpoint_buckets.c
    sums = (func.coalesce(func.sum(column), 0) for column in (columns.request_count, columns.error_count))
    query = select(func.count(), *sums, func.coalesce(func.sum(columns.query_sum), 0)).where(
        columns.resolution == bucket_seconds,
        columns.bucket_start == float(np.ceil(start / bucket_seconds) * bucket_seconds),
        columns.request_count >= minimum_requests,
    )
    return EndpointTotals(*map(int, connection.execute(query).one()))


def _part(levels: EndpointLevels, rows: Integers) -> EndpointLevels:
    return EndpointLevels(
        names=[levels.names[row] for row in rows.tolist()],
        request_count=levels.request_count[rows],
        error_count=levels.error_count[rows],
        query_sum=levels.query_sum[rows],
        p95_bucket=levels.p95_bucket[rows],
    )
