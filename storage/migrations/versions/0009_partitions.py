"""Keep PostgreSQL's hot tables in partitions by the time of arrival; keep senders' ids short; note what was archived.

Existing records move into partitions of an hour each. On SQLite the hot tables stay whole; a request has the time at
which its span arrived, and ids are shortened on both.
"""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

HOUR = 3600
SENDERS_IDS = {
    "events": "event_id",
    "spans": "trace_id, span_id",
    "requests": "sequence",
    "log_records": "record_id",
    "metric_points": "point_id",
}


SHORTENED = {"events": "event_id", "log_records": "record_id", "metric_points": "point_id"}
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
HEXADECIMAL = "([0-9a-f]{2}){8,}"


def upgrade() -> None:
    op.create_table(
        "append_period",
        sa.Column("since", sa.Double(), autoincrement=False, nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("since", name=op.f("pk_append_period")),
    )
    op.create_table(
        "archived_batches",
        sa.Column("token", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_archived_batches")),
    )
    _keep_when_requests_arrived()
    if op.get_bind().dialect.name == "postgresql":
        hours = sorted({hour for table in SENDERS_IDS for hour in _hours(table)})
        for table in SENDERS_IDS:
            _partition(table, hours)
    else:
        _rewrite_on_sqlite(_shortened)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table, key in SENDERS_IDS.items():
            _unite(table, key)
    else:
        _rewrite_on_sqlite(_lengthened)
    with op.batch_alter_table("requests") as requests:
        requests.drop_column("arrived_at")
    op.drop_table("archived_batches")
    op.drop_table("append_period")


def _keep_when_requests_arrived() -> None:
    with op.batch_alter_table("requests") as requests:
        requests.add_column(sa.Column("arrived_at", sa.Double(), nullable=True))
    op.execute(
        "UPDATE requests SET arrived_at = coalesce("
        "(SELECT spans.arrived_at FROM spans WHERE spans.sequence = requests.sequence), started_at)"
    )
    with op.batch_alter_table("requests") as requests:
        requests.alter_column("arrived_at", existing_type=sa.Double(), nullable=False)


def _hours(table: str) -> list[int]:
    """The hours in which a table's records arrived, in seconds UTC."""
    hour = sa.func.floor(sa.column("arrived_at") / HOUR)
    found = op.get_bind().execute(sa.select(hour).select_from(sa.table(table)).distinct())
    return [int(number) * HOUR for (number,) in found]


def _partition(table: str, hours: list[int]) -> None:
    indexes = _set_aside(table)
    op.execute(f"CREATE TABLE {table} (LIKE {table}_whole INCLUDING DEFAULTS) PARTITION BY RANGE (arrived_at)")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY (sequence, arrived_at)")
    key = SHORTENED.get(table)
    if key:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {key} TYPE bytea USING convert_to({key}, 'UTF8')")
    for name, columns in indexes.items():
        op.create_index(name, table, columns)
    for hour in hours:
        partition = f"{table}_{datetime.fromtimestamp(hour, UTC):%Y%m%dt%H}"
        op.execute(f"CREATE TABLE {partition} (LIKE {table} INCLUDING DEFAULTS)")
        op.execute(f"CREATE UNIQUE INDEX uq_{partition} ON {partition} ({SENDERS_IDS[table]})")
        op.execute(f"ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({hour}) TO ({hour + HOUR})")
    shortened = (
        f"CASE WHEN {key} ~ '^{UUID}$' THEN '\\xfe'::bytea || decode(replace({key}, '-', ''), 'hex')"
        f" WHEN {key} ~ '^{HEXADECIMAL}$' THEN '\\xff'::bytea || decode({key}, 'hex')"
        f" ELSE convert_to({key}, 'UTF8') END"
    )
    _move_over(table, {key: shortened} if key else {})


def _unite(table: str, key: str) -> None:
    indexes = _set_aside(table)
    op.execute(f"CREATE TABLE {table} (LIKE {table}_whole INCLUDING DEFAULTS)")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY (sequence)")
    if table in SHORTENED:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {key} TYPE text USING ''")
    if table == "spans":
        op.execute(f"CREATE UNIQUE INDEX uq_spans_trace_id ON spans ({key})")
    elif table != "requests":
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT uq_{table}_{key} UNIQUE ({key})")
    for name, columns in indexes.items():
        op.create_index(name, table, columns)
    digits = f"encode(substr({key}, 2), 'hex')"
    lengthened = (
        f"CASE get_byte({key} || '\\x00'::bytea, 0) WHEN 254 THEN {digits}::uuid::text WHEN 255 THEN {digits}"
        f" ELSE convert_from({key}, 'UTF8') END"
    )
    _move_over(table, {key: lengthened} if table in SHORTENED else {})


def _set_aside(table: str) -> dict[str, list[str]]:
    """Rename a table and take its constraints and indexes away; the columns of those that are not unique, by name."""
    look = sa.inspect(op.get_bind())
    plain, unique = {}, []
    for index in look.get_indexes(table):
        name = str(index["name"])
        if index["unique"]:
            unique.append(name)
        else:
            plain[name] = [str(column) for column in index["column_names"]]
    constraints = [str(constraint["name"]) for constraint in look.get_unique_constraints(table)]
    op.execute(f"ALTER TABLE {table} RENAME TO {table}_whole")
    for name in (f"pk_{table}", *constraints):
        op.execute(f"ALTER TABLE {table}_whole DROP CONSTRAINT {name}")
    for name in {*plain, *unique} - set(constraints):
        op.execute(f"DROP INDEX {name}")
    return plain


def _move_over(table: str, rewritten: dict[str, str]) -> None:
    """Everything from the table that was set aside, its numbers with it."""
    if table != "requests":
        op.execute(f"ALTER SEQUENCE {table}_sequence_seq OWNED BY {table}.sequence")
    names = [str(column["name"]) for column in sa.inspect(op.get_bind()).get_columns(table)]
    values = ", ".join(rewritten.get(name, name) for name in names)
    op.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM {table}_whole")  # noqa: S608 - own names
    op.execute(f"DROP TABLE {table}_whole")


def _rewrite_on_sqlite(rewritten: Callable[[str | bytes], str | bytes]) -> None:
    driver = op.get_bind().connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.create_function("rewritten", 1, rewritten, deterministic=True)
    for table, key in SHORTENED.items():
        op.execute(f"UPDATE {table} SET {key} = rewritten({key}) WHERE rewritten({key}) <> {key}")  # noqa: S608


def _shortened(identifier: str | bytes) -> str | bytes:
    if isinstance(identifier, str) and re.fullmatch(UUID, identifier):
        return b"\xfe" + bytes.fromhex(identifier.replace("-", ""))
    if isinstance(identifier, str) and re.fullmatch(HEXADECIMAL, identifier):
        return b"\xff" + bytes.fromhex(identifier)
    return identifier


def _lengthened(identifier: str | bytes) -> str | bytes:
    if isinstance(identifier, str):
        return identifier
    return str(uuid.UUID(bytes=identifier[1:])) if identifier[:1] == b"\xfe" else identifier[1:].hex()
