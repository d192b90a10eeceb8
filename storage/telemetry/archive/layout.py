"""The archive's layout: which kinds of record it holds, and its Parquet files, one directory per kind and day.

    DIRECTORY/events/day=2026-02-07/1-20000.5f2a9c01.parquet     the rows of that day among sequences 1 to 20000
    DIRECTORY/drafts/events.2026-02-07.20001-20400.77e1b0c4.parquet     written, but still in the hot store

The last part of a name is random, because a new database numbers rows from 1 again and must not overwrite the files of
the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Table

from storage.telemetry.rows.tables import events, log_records, metric_points, requests

DRAFTS = "drafts"
REWRITE = ".rewrite"
"""Suffix of a file that is to replace another one."""

PERSON = "person"
"""The column with the id that stood for the person when the record left the hot store; files of before have none."""

_LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of archived record: its name in the archive, its hot table, its columns with their SQL types.

    moment: the column with the time by which records are put into days. person: the column that names a person by
    the id that was sent, or None; such a kind also has PERSON. attributes: the JSON column in which persons may be
    named, or None.
    """

    name: str
    table: Table
    columns: Mapping[str, str]
    moment: str
    person: str | None = None
    attributes: str | None = None


KINDS = (
    Kind(
        "events",
        events,
        {
            "event_id": "VARCHAR",
            "event": "VARCHAR",
            "user_id": "VARCHAR",
            "person": "VARCHAR",
            "happened_at": "TIMESTAMP",
            "arrived_at": "TIMESTAMP",
            "properties": "VARCHAR",
        },
        "happened_at",
        person="user_id",
    ),
    Kind(
        "requests",
        requests,
        {
            "trace_id": "VARCHAR",
            "span_id": "VARCHAR",
            "service": "VARCHAR",
            "endpoint": "VARCHAR",
            "version": "VARCHAR",
            "started_at": "TIMESTAMP",
            "duration_ms": "DOUBLE",
            "query_count": "BIGINT",
            "is_error": "BOOLEAN",
        },
        "started_at",
    ),
    Kind(
        "logs",
        log_records,
        {
            "record_id": "VARCHAR",
            "service": "VARCHAR",
            "version": "VARCHAR",
            "happened_at": "TIMESTAMP",
            "arrived_at": "TIMESTAMP",
            "severity": "VARCHAR",
            "body": "VARCHAR",
            "trace_id": "VARCHAR",
            "attributes": "VARCHAR",
        },
        "happened_at",
        attributes="attributes",
    ),
    Kind(
        "metrics",
        metric_points,
        {
            "point_id": "VARCHAR",
            "name": "VARCHAR",
            "service": "VARCHAR",
            "happened_at": "TIMESTAMP",
            "arrived_at": "TIMESTAMP",
            "value": "DOUBLE",
            "kind": "VARCHAR",
            "attributes": "VARCHAR",
        },
        "happened_at",
        attributes="attributes",
    ),
)
"""Every kind that is archived. Spans are not archived; their requests are. Times are UTC."""


def kind_of(table: Table) -> Kind | None:
    """Return the kind that a hot table is archived as; None if it is not archived."""
    return next((kind for kind in KINDS if kind.table is table), None)


def day_of(moment: float) -> date:
    """Return the UTC day of a moment, clamped to 1970-01-01 and 9999-12-31."""
    return datetime.fromtimestamp(min(max(moment, 0.0), _LATEST), UTC).date()


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that is written but not yet part of the archive; its fields are read from its name.

    first, last: the range of sequences it was written from. token: random, the same for all drafts of one batch.
    """

    path: Path
    kind: str
    day: date
    first: int
    last: int
    token: str

    def home(self, directory: Path) -> Path:
        """Return the path in the archive that the file gets once its rows are evicted from the hot store."""
        name = f"{self.first}-{self.last}.{self.token}.parquet"
        return directory / self.kind / f"day={self.day}" / name


def new_draft(directory: Path, kind: str, day: date, first: int, last: int, token: str) -> Draft:
    """Name a draft, without writing it."""
    path = directory / DRAFTS / f"{kind}.{day}.{first}-{last}.{token}.parquet"
    return Draft(path, kind, day, first, last, token)


def drafts(directory: Path) -> Iterator[Draft]:
    """Yield the draft files in the directory: those that a crashed pass left behind."""
    for path in sorted((directory / DRAFTS).glob("*.parquet")):
        kind, day, sequences, token, _ = path.name.split(".")
        first, _, last = sequences.partition("-")
        yield Draft(path, kind, date.fromisoformat(day), int(first), int(last), token)


def days(directory: Path, kind: str) -> Iterator[tuple[date, Path]]:
    """Yield the days that the archive has records of, with their directories."""
    for path in sorted((directory / kind).glob("day=*")):
        yield date.fromisoformat(path.name.removeprefix("day=")), path


def files(directory: Path, kind: str) -> list[Path]:
    """List the files of a kind, oldest day first."""
    return sorted((directory / kind).glob("day=*/*.parquet"))
