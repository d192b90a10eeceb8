"""Read the buckets of custom metrics: some series in full, or all of them in brief."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, select

from detection.types import MetricSeries
from storage.telemetry.metrics.listing import SeriesListing
from storage.telemetry.protocol import MetricLevels, MetricName
from storage.telemetry.rows.bulk import read_columns
from storage.telemetry.rows.tables import metric_buckets, metric_series


def read_metric_series(
    connection: Connection,
    *,
    since: float,
    until: float,
    bucket_seconds: int,
    series: Sequence[tuple[str, str, str]] | None,
) -> Sequence[MetricSeries]:
    """Return series ordered by service, name and attributes; leave out series without a bucket."""
    if series is None:
        return _all_series(connection, since, until, bucket_seconds)
    columns = metric_buckets.c
    first, last = int(-(-since // bucket_seconds)), int(-(-until // bucket_seconds))
    starts = [float(number * bucket_seconds) for number in range(first, last)]
    # The primary key begins with the time. Look each bucket up by its exact key: a time range would read all series.
    query = (
        select(columns.bucket_start, columns.low, columns.high, columns.total, columns["count"])
        .where(columns.resolution == bucket_seconds, columns.bucket_start.in_(bindparam("starts", expanding=True)))
        .where(columns.series_id == bindparam("one"))
        .order_by(columns.bucket_start)
    )
    names = metric_series.c
    known = select(metric_series).where(
        names.service == bindparam("service"),
        names.name == bindparam("metric"),
        names.attributes == bindparam("attributes"),
    )
    found = []
    for service, metric, attributes in sorted(set(series)):
        named = {"service": service, "metric": metric, "attributes": attributes}
        one = connection.execute(known, named).one_or_none()
        rows = connection.execute(query, {"starts": starts, "one": one.id}).all() if one and starts else []
        if one and rows:
            found.append(_series(one, rows))
    return found


def _all_series(connection: Connection, since: float, until: float, bucket_seconds: int) -> Sequence[MetricSeries]:
    names, columns = metric_series.c, metric_buckets.c
    query = (
        select(metric_series, columns.bucket_start, columns.low, columns.high, columns.total, columns["count"])
        .join(metric_buckets, names.id == columns.series_id)
        .where(columns.resolution == bucket_seconds, columns.bucket_start >= since, columns.bucket_start < until)
        .order_by(names.service, names.name, names.attributes, columns.bucket_start)
    )
    grouped = groupby(connection.execute(query), key=lambda row: row.id)
    return [_series(rows[0], rows) for rows in (list(group) for _, group in grouped)]


def _series(named: Any, rows: Sequence[Any]) -> MetricSeries:
    counts = np.array([row[-1] for row in rows], dtype=np.int64)
    return MetricSeries(
        name=named.name,
        service=named.service,
        bucket_starts=np.array([row.bucket_start for row in rows], dtype=np.float64),
        means=np.array([row.total for row in rows], dtype=np.float64) / counts,
        counts=counts,
        attributes=named.attributes,
        is_rate=bool(named.is_rate),
        lows=np.array([row.low for row in rows], dtype=np.float64),
        highs=np.array([row.high for row in rows], dtype=np.float64),
    )


def metric_levels(
    connection: Connection, listing: SeriesListing, *, since: float, until: float, bucket_seconds: int
) -> MetricLevels:
    """Return all buckets in brief, ordered by time."""
    columns = metric_buckets.c
    query = (
        select(columns.series_id, columns.bucket_start, columns.total / columns["count"], columns.low, columns.high)
        .where(columns.resolution == bucket_seconds, columns.bucket_start >= since, columns.bucket_start < until)
        .order_by(columns.bucket_start, columns.series_id)
    )
    ids, starts, means, lows, highs = read_columns(connection, query)
    known_ids, names = listing.read(connection)
    series = np.array(ids, dtype=np.int64)
    # A series may be deleted between the two reads.
    held = np.isin(series, known_ids)
    return MetricLevels(
        names=names,
        rows=np.searchsorted(known_ids, series[held]),
        bucket_starts=np.array(starts, dtype=np.float64)[held],
        means=np.array(means, dtype=np.float64)[held],
        lows=np.array(lows, dtype=np.float64)[held],
        highs=np.array(highs, dtype=np.float64)[held],
    )


def metric_names(
    connection: Connection, *, service: str | None, name: str | None, limit: int, offset: int
) -> Sequence[MetricName]:
    """List the known series, ordered by service, name and attributes."""
    columns = metric_series.c
    query = select(metric_series).order_by(columns.service, columns.name, columns.attributes)
    if service is not None:
        query = query.where(columns.service == service)
    if name is not None:
        query = query.where(columns.name == name)
    found = connection.execute(query.limit(limit).offset(offset))
    return [MetricName(row.service, row.name, row.attributes, row.is_rate) for row in found]
