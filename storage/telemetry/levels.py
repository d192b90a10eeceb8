"""Endpoints' buckets in brief: ten thousand endpoints at once, without a histogram for any of them."""

from __future__ import annotations

import numpy as np
from sqlalchemy import Connection, select

from detection.types import Integers
from storage.telemetry.counts import unpack
from storage.telemetry.protocol import EndpointLevels
from storage.telemetry.tables import endpoint_buckets

_HIGH = 0.95


def endpoint_levels(
    connection: Connection, *, since: float, until: float, bucket_seconds: int, minimum_requests: int
) -> EndpointLevels:
    """All buckets with at least so many requests, by time."""
    columns = endpoint_buckets.c
    query = (
        select(columns.service, columns.endpoint, columns.bucket_start, columns.request_count)
        .add_columns(columns.error_count, columns.query_sum, columns.duration_histogram)
        .where(
            columns.resolution == bucket_seconds,
            columns.bucket_start >= since,
            columns.bucket_start < until,
            columns.request_count >= minimum_requests,
        )
    )
    found = connection.execute(query).all()
    services, endpoints, starts, requests, errors, queries, blobs = zip(*found, strict=True) if found else [()] * 7
    names: dict[tuple[str, str], int] = {}
    rows = [names.setdefault(name, len(names)) for name in zip(services, endpoints, strict=True)]
    return EndpointLevels(
        names=list(names),
        rows=np.array(rows, dtype=np.int64),
        bucket_starts=np.array(starts, dtype=np.float64),
        request_count=np.array(requests, dtype=np.int64),
        error_count=np.array(errors, dtype=np.int64),
        query_sum=np.array(queries, dtype=np.int64),
        p95_bucket=_quantile_buckets(blobs),
    )


def _quantile_buckets(blobs: tuple[bytes, ...]) -> Integers:
    """(n,): the bucket of each histogram in which the 95th percentile lies; 0 for an empty one."""
    rows, columns, counts = unpack(blobs)
    if not len(rows):
        return np.zeros(len(blobs), dtype=np.int64)
    running = np.cumsum(counts)
    ends = np.searchsorted(rows, np.arange(len(blobs)), side="right")
    upto = np.concatenate([[0], running])[ends]
    before = np.concatenate([[0], upto[:-1]])
    # Counts are whole, so the first bucket at which enough are reached is that of the next whole number.
    wanted = before + np.ceil(_HIGH * (upto - before) - 1e-9)
    return np.where(upto > before, columns[np.searchsorted(running, wanted, side="left").clip(max=len(columns) - 1)], 0)
