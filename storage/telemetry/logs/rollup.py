"""Roll up log records: count lines by template, named pattern and severity, per minute and per hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, String, select, type_coerce

from detection.types import Floats, Integers
from storage.models import LogPattern
from storage.telemetry.logs.buckets import add_lines
from storage.telemetry.logs.reader_protocol import KeptTemplates, LinePattern, LogReader, LogReading, StoredPattern
from storage.telemetry.logs.series import SeriesBook, Wanted
from storage.telemetry.protocol import LOG_OTHER, LOG_PATTERN, LOG_SEVERITY, LOG_TEMPLATE
from storage.telemetry.rollups.marks import mark, set_mark
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.people_named import names_person
from storage.telemetry.rows.tables import log_records, log_series, template_states
from storage.telemetry.rows.texts import decode, severity_word

_ALERT_ATTRIBUTES = ('"alert":', '"status":', '"source":')
"""Attributes that mark a record as another system's alert. Alerts are watched separately and not counted as lines."""


class Line(NamedTuple):
    """The part of a log record that counting needs."""

    sequence: int
    service: str
    happened_at: float
    severity_rank: int
    body: str
    attributes: str


@dataclass(frozen=True, slots=True)
class Counted:
    """Lines with the series they count for: (n,) each. A line may count for several series."""

    series_ids: Integers
    happened_at: Floats


def roll_up_logs(connection: Connection, reader: LogReader | None, *, up_to: int, now: float, limit: int) -> int:
    """Roll up the next records, at most `limit` and none above sequence `up_to`; return how many.

    Without a reader, lines are counted by severity only.
    """
    since = mark(connection, "logs")
    columns = [log_records.c[name] for name in Line._fields]
    wanted = log_records.c.sequence > since, log_records.c.sequence <= up_to
    query = select(*columns).where(*wanted).order_by(log_records.c.sequence).limit(limit)
    taken = [Line(*row) for row in connection.execute(query)]
    if not taken:
        return 0
    lines = sorted((line for line in taken if not _is_alert(line)), key=lambda line: line.service)
    patterns = _stored_patterns(connection)
    counted = [
        part
        for service, service_lines in groupby(lines, key=lambda line: line.service)
        for part in _count(connection, reader, service, list(service_lines), patterns, now)
    ]
    if counted:
        ids = np.concatenate([part.series_ids for part in counted])
        add_lines(connection, ids, np.concatenate([part.happened_at for part in counted]), now)
    set_mark(connection, "logs", taken[-1].sequence)
    return len(taken)


def _is_alert(line: Line) -> bool:
    return all(name in line.attributes for name in _ALERT_ATTRIBUTES)


def _stored_patterns(connection: Connection) -> list[StoredPattern]:
    # The severity as it is stored: the reader leaves out a pattern whose severity there is not.
    severity = type_coerce(LogPattern.severity, String)
    columns = LogPattern.name, LogPattern.expression, severity, LogPattern.description, LogPattern.enabled
    return [StoredPattern(*row) for row in connection.execute(select(*columns).order_by(LogPattern.name))]


def _count(
    connection: Connection,
    reader: LogReader | None,
    service: str,
    lines: Sequence[Line],
    patterns: Sequence[StoredPattern],
    now: float,
) -> Iterator[Counted]:
    """Count one service's lines by each of the three kinds."""
    book = SeriesBook(connection, service, now)
    ranks = [line.severity_rank for line in lines]
    words = {rank: severity_word(rank) for rank in set(ranks)}
    yield _assign_series(book, lines, _by_name(LOG_SEVERITY, [words[rank] for rank in ranks], {}))
    if reader is None:
        return
    bodies = [line.body for line in lines]
    reading = reader.read(service, bodies, _stored_templates(connection, service))
    yield _assign_series(book, lines, _by_name(LOG_TEMPLATE, reading.template_ids, reading.texts))
    found = reader.matches(bodies, ranks, patterns)
    if found:
        yield _assign_series(book, lines, _by_pattern(found))
    book.replace(LOG_TEMPLATE, reading.resolve, reading.texts)
    _store_templates(connection, service, reading)


class _Entries(NamedTuple):
    """Which line counts for which series.

    wanted: the series, each once. lines: indices of lines; series: indices into `wanted`; (n,) each.
    """

    wanted: list[Wanted]
    lines: Integers
    series: Integers


def _by_name(kind: str, names: Sequence[str], texts: Mapping[str, str]) -> _Entries:
    """Count every line for the series of its name. The series' text is its name unless `texts` has one."""
    places: dict[str, int] = {}
    series = np.array([places.setdefault(name, len(places)) for name in names], dtype=np.int64)
    return _Entries([Wanted(kind, name, texts.get(name, name)) for name in places], np.arange(len(names)), series)


def _by_pattern(found: Mapping[LinePattern, Sequence[int]]) -> _Entries:
    return _Entries(
        [Wanted(LOG_PATTERN, pattern.name, pattern.text) for pattern in found],
        np.concatenate([np.array(places, dtype=np.int64) for places in found.values()]),
        np.repeat(np.arange(len(found)), [len(places) for places in found.values()]),
    )


def _assign_series(book: SeriesBook, lines: Sequence[Line], entries: _Entries) -> Counted:
    """Find or create the series. Only a line whose attributes name no person becomes a series' sample."""
    happened_at = np.array([line.happened_at for line in lines])[entries.lines]
    ranks = np.array([line.severity_rank for line in lines])[entries.lines]

    def sample(index: int) -> str:
        line = lines[entries.lines[index]]
        return "" if names_person(decode(line.attributes)) else line.body

    return Counted(book.ids(entries.wanted, entries.series, happened_at, ranks, sample), happened_at)


def _stored_templates(connection: Connection, service: str) -> KeptTemplates:
    columns = template_states.c
    version = connection.scalar(select(columns.version).where(columns.service == service))

    def load() -> bytes:
        return bytes(connection.execute(select(columns.state).where(columns.service == service)).scalar_one())

    def texts() -> Mapping[str, str]:
        series = log_series.c
        query = select(series.name, series.text).where(
            series.service == service,
            series.kind == LOG_TEMPLATE,
            series.name != LOG_OTHER,
            series.counted_as.is_(None),
        )
        return {row.name: row.text for row in connection.execute(query)}

    return KeptTemplates(version, load, texts)


def _store_templates(connection: Connection, service: str, reading: LogReading) -> None:
    if reading.learnt is not None:
        row = (service, reading.learnt.version, reading.learnt.state)
        put(connection, template_states, ("service", "version", "state"), [row])
