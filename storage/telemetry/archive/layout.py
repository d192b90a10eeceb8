"""What the archive holds and under which names: Parquet files, apart by kind of record and by day.

    DIRECTORY/events/day=2026-02-07/1-20000.5f2a9c01.parquet     rows 1 to 20000 of the hot store that are of that day
    DIRECTORY/drafts/events.2026-02-07.20001-20400.77e1b0c4.parquet     written, but still in the hot store

The last part of a name is random: a database made anew counts from 1 again, and must not write over the old one's.
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
"""How the name of a file ends that is to take another's place."""

_LATEST = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: its name in the archive, where it comes from, its columns' SQL types, and when it was.

    person: the column that names a person, or None; attributes: the column of JSON in which persons may be named.
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
"""Every kind that is archived. Requests stand for their spans, which are let go. Times are UTC."""


def kind_of(table: Table) -> Kind | None:
    """The kind that a hot table is archived as."""
    return next((kind for kind in KINDS if kind.table is table), None)


def day_of(moment: float) -> date:
    """The day, UTC, of a moment; what lies outside the calendar counts as its first or last day."""
    return datetime.fromtimestamp(min(max(moment, 0.0), _LATEST), UTC).date()


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that is written and not yet part of the archive, by what its name says."""

    path: Path
    kind: str
    day: date
    first: int
    last: int
    token: str

    def home(self, directory: Path) -> Path:
        """Where it belongs once its rows have left the hot store."""
        name = f"{self.first}-{self.last}.{self.token}.parquet"
        return directory / self.kind / f"day={self.day}" / name


def new_draft(directory: Path, kind: str, day: date, first: int, last: int, token: str) -> Draft:
    """Name a draft; nothing is written."""
    path = directory / DRAFTS / f"{kind}.{day}.{first}-{last}.{token}.parquet"
    return Draft(path, kind, day, first, last, token)


def drafts(directory: Path) -> Iterator[Draft]:
    """The drafts that a pass left behind when it died."""
    for path in sorted((directory / DRAFTS).glob("*.parquet")):
        kind, day, sequences, token, _ = path.name.split(".")
        first, _, last = sequences.partition("-")
        yield Draft(path, kind, date.fromisoformat(day), int(first), int(last), token)


def days(directory: Path, kind: str) -> Iterator[tuple[date, Path]]:
    """The days of which the archive has something, with their directories."""
    for path in sorted((directory / kind).glob("day=*")):
        yield date.fromisoformat(path.name.removeprefix("day=")), path


def files(directory: Path, kind: str) -> list[Path]:
    """The files of a kind, oldest day first."""
    return sorted((directory / kind).glob("day=*/*.parquet"))
