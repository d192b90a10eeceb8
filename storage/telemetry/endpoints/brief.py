"""Read the buckets of endpoints in brief: fast enough for ten thousand endpoints, without full histograms."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection, select

from storage.telemetry.protocol import EndpointLevels
from storage.telemetry.rows.bulk import read_columns
from storage.telemetry.rows.histogram_blobs import quantile_columns
from storage.telemetry.rows.tables import endpoint_buckets


def endpoint_levels(
    connection: Connection, start: float, *, bucket_seconds: int, minimum_requests: int
) -> EndpointLevels:
    """Read the first bucket at or after `start` of every endpoint with at least `minimum_requests` in it."""
    columns = endpoint_buckets.c
    query = (
        select(columns.service, columns.endpoint, columns.request_count, columns.error_count, columns.query_sum)
        .add_columns(columns.duration_histogram)
        .where(
            columns.resolution == bucket_seconds,
            columns.bucket_start >= start,
            columns.bucket_start < start + bucket_seconds,
            columns.request_count >= minimum_requests,
        )
    )
    services, endpoints, requests, errors, queries, durations = read_columns(connection, query)
    return EndpointLevels(
        names=list(zip(services, endpoints, strict=True)),
        request_count=np.array(requests, dtype=np.int64),
        error_count=np.array(errors, dtype=np.int64),
        query_sum=np.array(queries, dtype=np.int64),
        p95_bucket=quantile_columns(durations, 0.95),
    )
