"""Store and read points of custom metrics in the hot store."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from detection.types import MetricKind, MetricPoint
from storage.telemetry.rows.bulk import Row
from storage.telemetry.rows.tables import metric_points
from storage.telemetry.rows.texts import decode, encode, storable_key

METRIC_COLUMNS = ("point_id", "name", "service", "happened_at", "arrived_at", "value", "kind", "attributes")


def metric_rows(points: Sequence[MetricPoint], arrived_at: float) -> list[Row]:
    """Make rows of METRIC_COLUMNS."""
    return [
        (
            storable_key(point.point_id),
            storable_key(point.name),
            storable_key(point.service),
            point.happened_at,
            arrived_at,
            point.value,
            point.kind.value,
            encode(point.attributes),
        )
        for point in points
    ]


def metric_samples(
    connection: Connection, service: str, name: str, *, since: float, until: float, limit: int
) -> Sequence[MetricPoint]:
    """Read the points of one metric of one service, newest first."""
    columns = metric_points.c
    query = (
        select(columns.point_id, columns.happened_at, columns.value, columns.kind, columns.attributes)
        .where(
            columns.service == service,
            columns.name == name,
            columns.happened_at >= since,
            columns.happened_at < until,
        )
        .order_by(columns.happened_at.desc(), columns.sequence.desc())
        .limit(limit)
    )
    return [
        MetricPoint(point_id, name, service, happened_at, value, MetricKind(kind), decode(attributes))
        for point_id, happened_at, value, kind, attributes in connection.execute(query)
    ]
