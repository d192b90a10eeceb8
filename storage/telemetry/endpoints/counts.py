"""Count the requests of each endpoint in the database, without reading histograms."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from storage.telemetry.protocol import EndpointCount
from storage.telemetry.rows.tables import endpoint_buckets


def endpoint_counts(
    connection: Connection, *, since: float, until: float, bucket_seconds: int, minimum_requests: int
) -> Mapping[tuple[str, str], EndpointCount]:
    """Count by (service, endpoint) the buckets with at least `minimum_requests` requests, and the requests in them."""
    columns = endpoint_buckets.c
    query = (
        select(columns.service, columns.endpoint, func.count(), func.sum(columns.request_count))
        .where(
            columns.resolution == bucket_seconds,
            columns.bucket_start >= since,
            columns.bucket_start < until,
            columns.request_count >= minimum_requests,
        )
        .group_by(columns.service, columns.endpoint)
    )
    return {
        (service, endpoint): EndpointCount(buckets=int(buckets), requests=int(requests))
        for service, endpoint, buckets, requests in connection.execute(query)
    }
