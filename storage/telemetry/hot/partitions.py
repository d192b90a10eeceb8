"""Partition the hot tables by arrival time (PostgreSQL only), so that old records are evicted by dropping a table.

A partition covers an hour, or a day where records stay longer than a day, so that there are a few dozen at most. Each
partition has its own unique index on the sender's id. A unique index over all partitions would have to include the
arrival time, and so would not recognise a record that is sent again later. storage.telemetry.hot.append_postgresql
keeps senders' ids unique across partitions.

Partitions are created separately and then attached, which does not block running appends and reads (PostgreSQL manual,
5.12). There is no default partition: every attach would have to lock and scan it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, Table, text

from storage.database.locks import Lock, lock_exclusive
from storage.telemetry.hot.window import hot_seconds
from storage.telemetry.rows.tables import events, log_records, metric_points, requests, spans

SENDERS_IDS = {
    events: ("event_id",),
    spans: ("trace_id", "span_id"),
    requests: ("sequence",),
    log_records: ("record_id",),
    metric_points: ("point_id",),
}
"""The hot tables, each with the columns of its unique key."""

_HOUR, _DAY = 3600, 86_400
_BOUNDS = re.compile(r"FROM \('?([-+.e\d]+)'?\) TO \('?([-+.e\d]+)'?\)")
_LISTED = text(
    "SELECT partition.relname, pg_get_expr(partition.relpartbound, partition.oid) FROM pg_inherits"
    " JOIN pg_class partition ON partition.oid = inhrelid WHERE inhparent = CAST(:parent AS regclass)"
)


class Period(NamedTuple):
    """From `since` (inclusive) to `until` (exclusive), seconds UTC. All hot tables have the same periods."""

    since: float
    until: float


class Partition(NamedTuple):
    """The records of a hot table that arrived in one period; `name` is the name of its own table."""

    name: str
    period: Period


def are_used(database: Connection | Engine) -> bool:
    """Tell whether this database keeps its hot tables in partitions."""
    return database.dialect.name == "postgresql"


def partitions(connection: Connection, table: Table) -> Sequence[Partition]:
    """List the partitions of a hot table, oldest first."""
    found = []
    for name, bounds in connection.execute(_LISTED, {"parent": table.name}):
        matched = _BOUNDS.search(bounds)
        assert matched, bounds
        found.append(Partition(name, Period(float(matched[1]), float(matched[2]))))
    return sorted(found, key=lambda partition: partition.period)


def period_for(connection: Connection, moment: float) -> Period:
    """Return the period that contains a moment, and create its partition in every hot table that has none.

    The caller holds Lock.PARTITIONS exclusively.
    """
    existing = {table: partitions(connection, table) for table in SENDERS_IDS}
    periods = {partition.period for found in existing.values() for partition in found}
    around = next((period for period in periods if period.since <= moment < period.until), None)
    period = around or _free_period(connection, periods, moment)
    for table, found in existing.items():
        if period not in {partition.period for partition in found}:
            _create(connection, table, period)
    return period


def prepare_partitions(engine: Engine, *, now: float) -> None:
    """Create the partitions of the current and the next period in advance, so that appends do not have to."""
    with engine.begin() as connection:
        if not are_used(connection):
            return
        lock_exclusive(connection, Lock.PARTITIONS)
        current = period_for(connection, now)
        period_for(connection, current.until)


def _free_period(connection: Connection, taken: Collection[Period], moment: float) -> Period:
    """Return the hour or day around a moment, cut short where existing periods overlap it."""
    width = _HOUR if hot_seconds(connection) <= _DAY else _DAY
    since = moment // width * width
    until = since + width
    since = max([since, *(period.until for period in taken if period.until <= moment)])
    until = min([until, *(period.since for period in taken if period.since > moment)])
    return Period(since, until)


def _create(connection: Connection, table: Table, period: Period) -> None:
    name = partition_name(table, period)
    key = ", ".join(SENDERS_IDS[table])
    for statement in (
        f"CREATE TABLE {name} (LIKE {table.name} INCLUDING DEFAULTS)",
        f"CREATE UNIQUE INDEX uq_{name} ON {name} ({key})",
        f"ALTER TABLE {table.name} ATTACH PARTITION {name} FOR VALUES FROM ({period.since}) TO ({period.until})",
    ):
        connection.execute(text(statement))


def partition_name(table: Table, period: Period) -> str:
    """Return the table's name followed by the UTC hour in which the period begins."""
    return f"{table.name}_{datetime.fromtimestamp(period.since, UTC):%Y%m%dt%H}"
