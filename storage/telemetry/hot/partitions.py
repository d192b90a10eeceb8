"""PostgreSQL keeps each hot table in partitions by the time of arrival, so that old records go by dropping a table.

A partition lasts an hour, or a day where records stay longer than a day, so that there are a few dozen at most. Each
has a unique index on the sender's id of its own: a unique index over all of them would have to contain the time of
arrival, and so would not recognise a record that comes again later. How senders' ids stay unique all the same is
storage.telemetry.hot.append_postgresql's business.

Partitions are attached, not created in place: that lets appends and reads under way go on (PostgreSQL's manual, 5.12).
There is no default partition, which every attaching would have to lock and look through.
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
"""The hot tables, each with the columns that tell its records apart."""

_HOUR, _DAY = 3600, 86_400
_BOUNDS = re.compile(r"FROM \('?([-+.e\d]+)'?\) TO \('?([-+.e\d]+)'?\)")
_LISTED = text(
    "SELECT partition.relname, pg_get_expr(partition.relpartbound, partition.oid) FROM pg_inherits"
    " JOIN pg_class partition ON partition.oid = inhrelid WHERE inhparent = CAST(:parent AS regclass)"
)


class Period(NamedTuple):
    """From `since` (inclusive) to `until` (exclusive), seconds UTC; every hot table has the same ones."""

    since: float
    until: float


class Partition(NamedTuple):
    """The part of a hot table that arrived in a period, which is a table, too."""

    name: str
    period: Period


def are_used(database: Connection | Engine) -> bool:
    """Whether this database keeps its hot tables in partitions."""
    return database.dialect.name == "postgresql"


def partitions(connection: Connection, table: Table) -> Sequence[Partition]:
    """A hot table's partitions, oldest first."""
    found = []
    for name, bounds in connection.execute(_LISTED, {"parent": table.name}):
        matched = _BOUNDS.search(bounds)
        assert matched, bounds
        found.append(Partition(name, Period(float(matched[1]), float(matched[2]))))
    return sorted(found, key=lambda partition: partition.period)


def period_for(connection: Connection, moment: float) -> Period:
    """The period of a moment; every hot table has a partition for it afterwards. Hold Lock.PARTITIONS alone."""
    existing = {table: partitions(connection, table) for table in SENDERS_IDS}
    periods = {partition.period for found in existing.values() for partition in found}
    around = next((period for period in periods if period.since <= moment < period.until), None)
    period = around or _free_period(connection, periods, moment)
    for table, found in existing.items():
        if period not in {partition.period for partition in found}:
            _create(connection, table, period)
    return period


def prepare_partitions(engine: Engine, *, now: float) -> None:
    """See that there are partitions for now and for what comes after it, so that no append has to make its own."""
    with engine.begin() as connection:
        if not are_used(connection):
            return
        lock_exclusive(connection, Lock.PARTITIONS)
        current = period_for(connection, now)
        period_for(connection, current.until)


def _free_period(connection: Connection, taken: Collection[Period], moment: float) -> Period:
    """A whole hour or day around a moment, as far as others leave room."""
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
    """The table's name and the hour, UTC, in which the period begins."""
    return f"{table.name}_{datetime.fromtimestamp(period.since, UTC):%Y%m%dt%H}"
