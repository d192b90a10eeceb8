"""Read the counts of log lines: in full as detection's series, or in brief."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, bindparam, func, select, tuple_

from detection.types import Floats, Integers, LogSeries
from storage.telemetry.logs.buckets import unpacked
from storage.telemetry.protocol import (
    COARSE_SECONDS,
    FINE_LOG_SECONDS,
    LOG_SEVERITY,
    LOG_WINDOW_SECONDS,
    LogLevels,
    LogName,
)
from storage.telemetry.rows.tables import log_buckets, log_series, template_states
from storage.telemetry.rows.texts import severity_word

_SERIES: Select[Any] = select(
    log_series.c.id,
    log_series.c.kind,
    log_series.c.service,
    log_series.c.name,
    log_series.c.text,
    log_series.c.severity_rank,
    log_series.c.sample,
    log_series.c.counted_as,
)
_IDS_PER_QUERY = 500
_STARTS_PER_QUERY = 2_000


@dataclass(slots=True)
class _Series:
    """A series together with the series that were merged into it.

    ids: of all of them. severity_rank: the worst of all of them.
    """

    name: LogName
    text: str
    severity_rank: int
    sample: str
    ids: list[int]


def read_log_series(
    connection: Connection,
    *,
    since: float,
    until: float,
    bucket_seconds: int,
    service: str | None,
    kind: str | None,
    names: Sequence[LogName] | None,
) -> Sequence[LogSeries]:
    """Return the series with a line in the time range, ordered by name; see the protocol."""
    book = _book(connection, service, kind, names)
    by_id = {series_id: row for row, series in enumerate(book) for series_id in series.ids}
    few = list(by_id) if names is not None else None
    rows, starts, counts = _buckets(connection, by_id, few, since, until, bucket_seconds)
    order = np.lexsort((starts, rows))
    rows, starts, counts = rows[order], starts[order], counts[order]
    edges = np.searchsorted(rows, np.arange(len(book) + 1))
    return [
        _series(one, starts[first:last], counts[first:last])
        for one, first, last in zip(book, edges[:-1].tolist(), edges[1:].tolist(), strict=True)
        if last > first
    ]


def read_log_totals(connection: Connection, *, since: float, until: float) -> LogLevels:
    """Return the lines of each series, summed over the fine buckets of the time range, as one window."""
    columns = log_buckets.c
    query = (
        select(columns.series_id, func.sum(columns.line_count))
        .where(columns.resolution == FINE_LOG_SECONDS, columns.bucket_start >= since, columns.bucket_start < until)
        .group_by(columns.series_id)
    )
    rows = connection.execute(query).all()
    counts = np.array([int(count) for _, count in rows], dtype=np.int64).reshape(-1, 1)
    return _levels(_names(connection), [series_id for series_id, _ in rows], counts)


def read_log_hours(connection: Connection, starts: Sequence[float]) -> Sequence[LogLevels]:
    """Return the lines of each series in the ten-minute windows of each hour."""
    columns, names = log_buckets.c, _names(connection)
    query = select(columns.series_id, columns.by_window).where(
        columns.resolution == COARSE_SECONDS, columns.bucket_start == bindparam("start")
    )
    hours = [connection.execute(query, {"start": start}).all() for start in starts]
    return [
        _levels(names, [series_id for series_id, _ in rows], unpacked([by_window for _, by_window in rows]))
        for rows in hours
    ]


def read_template_state(connection: Connection, service: str) -> bytes | None:
    """Return the stored template state of a service, or None."""
    state = connection.scalar(select(template_states.c.state).where(template_states.c.service == service))
    return None if state is None else bytes(state)


def read_heard_since(connection: Connection) -> Mapping[str, float]:
    """Return the time of each service's first line."""
    columns = log_series.c
    query = select(columns.service, func.min(columns.first_at)).where(columns.kind == LOG_SEVERITY)
    return {service: float(first) for service, first in connection.execute(query.group_by(columns.service))}


def _book(
    connection: Connection, service: str | None, kind: str | None, names: Sequence[LogName] | None
) -> list[_Series]:
    """Return all series, or these, ordered by name; merged series are grouped under their successor."""
    columns = log_series.c
    if names is None:
        query = _SERIES
        if service is not None:
            query = query.where(columns.service == service)
        if kind is not None:
            query = query.where(columns.kind == kind)
        rows = list(connection.execute(query))
    else:
        rows = _related(connection, names)
    successor_of = {row.id: row.counted_as for row in rows if row.counted_as is not None}
    members: defaultdict[int, list[int]] = defaultdict(list)
    for row in rows:
        members[_final_successor(row.id, successor_of)].append(row.id)
    by_id = {row.id: row for row in rows}
    book = [
        _Series(
            _name(by_id[head]),
            by_id[head].text,
            max(by_id[one].severity_rank for one in ids),
            next((by_id[one].sample for one in (head, *ids) if by_id[one].sample), ""),
            ids,
        )
        for head, ids in members.items()
        if head in by_id
    ]
    return sorted(book, key=lambda one: (one.name.service, one.name.kind, one.name.name))


def _related(connection: Connection, names: Sequence[LogName]) -> list[Row[Any]]:
    """Return the rows of these names, of their successors, and of all series merged into the same successors."""
    columns = log_series.c
    found: dict[int, Row[Any]] = {}
    for first in range(0, len(names), _IDS_PER_QUERY):
        some = tuple_(columns.kind, columns.service, columns.name).in_(names[first : first + _IDS_PER_QUERY])
        found |= {row.id: row for row in connection.execute(_SERIES.where(some))}
    fresh = list(found.values())
    while fresh:
        ids = [row.id for row in fresh]
        successors = [row.counted_as for row in fresh if row.counted_as is not None]
        rows = [
            row
            for column, values in ((columns.id, successors), (columns.counted_as, ids))
            for first in range(0, len(values), _IDS_PER_QUERY)
            for row in connection.execute(_SERIES.where(column.in_(values[first : first + _IDS_PER_QUERY])))
        ]
        fresh = [row for row in {row.id: row for row in rows}.values() if row.id not in found]
        found |= {row.id: row for row in fresh}
    return list(found.values())


def _name(row: Row[Any]) -> LogName:
    return LogName(row.kind, row.service, row.name)


def _final_successor(series_id: int, successor_of: Mapping[int, int]) -> int:
    """Follow a series' successors to the last one."""
    for _ in range(len(successor_of)):
        if series_id not in successor_of:
            break
        series_id = successor_of[series_id]
    return series_id


def _buckets(
    connection: Connection,
    by_id: Mapping[int, int],
    few: Sequence[int] | None,
    since: float,
    until: float,
    bucket_seconds: int,
) -> tuple[Integers, Floats, Integers]:
    """Return index in the book, start and line count of each bucket, (n,) each; add up buckets of merged series.

    few: the ids to read, each bucket by its exact key, because the primary key begins with the time; None reads all.
    """
    kept = FINE_LOG_SECONDS if bucket_seconds == FINE_LOG_SECONDS else COARSE_SECONDS
    columns = log_buckets.c
    query = select(columns.bucket_start, columns.series_id, columns.line_count, columns.by_window).where(
        columns.resolution == kept
    )
    first, last = -(-(since - kept + 1) // kept), -(-until // kept)
    if few is None or last - first > _STARTS_PER_QUERY:
        query = query.where(columns.bucket_start > since - kept, columns.bucket_start < until)
    else:
        query = query.where(columns.bucket_start.in_([number * kept for number in np.arange(first, last).tolist()]))
    chunks = (
        [
            query.where(columns.series_id.in_(few[place : place + _IDS_PER_QUERY]))
            for place in range(0, len(few), _IDS_PER_QUERY)
        ]
        if few is not None
        else [query]
    )
    totals: dict[tuple[int, float], int] = {}
    for chunk in chunks:
        for start, series_id, line_count, by_window in connection.execute(chunk):
            row = by_id.get(series_id)
            if row is None:
                continue
            if bucket_seconds == LOG_WINDOW_SECONDS:
                for place, count in enumerate(unpacked([by_window])[0].tolist()):
                    if count:
                        key = row, start + place * LOG_WINDOW_SECONDS
                        totals[key] = totals.get(key, 0) + count
            else:
                totals[row, start] = totals.get((row, start), 0) + line_count
    cells = np.array([(row, start, count) for (row, start), count in totals.items()], dtype=np.float64).reshape(-1, 3)
    cells = cells[(cells[:, 1] >= since) & (cells[:, 1] < until)]
    return cells[:, 0].astype(np.int64), cells[:, 1], cells[:, 2].astype(np.int64)


def _series(one: _Series, starts: Floats, counts: Integers) -> LogSeries:
    kind, service, name = one.name
    return LogSeries(kind, name, service, one.text, severity_word(one.severity_rank), starts, counts, one.sample)


def _names(connection: Connection) -> dict[int, LogName]:
    """Return the name of each series by id; of a merged series, the name of its successor."""
    columns = log_series.c
    query = select(columns.id, columns.kind, columns.service, columns.name, columns.counted_as)
    rows = connection.execute(query).all()
    names = {series_id: LogName(kind, service, name) for series_id, kind, service, name, _ in rows}
    successor_of = {series_id: successor for series_id, *_, successor in rows if successor is not None}
    last = {series_id: _final_successor(series_id, successor_of) for series_id in successor_of}
    return names | {series_id: names[successor] for series_id, successor in last.items() if successor in names}


def _levels(names: Mapping[int, LogName], series_ids: Sequence[int], counts: Integers) -> LogLevels:
    """Sum counts (series, windows) by name; leave out series that no longer exist."""
    places: dict[LogName, int] = {}
    known = [place for place, series_id in enumerate(series_ids) if series_id in names]
    rows = [places.setdefault(names[series_ids[place]], len(places)) for place in known]
    totals = np.zeros((len(places), counts.shape[1]), dtype=np.int64)
    np.add.at(totals, np.array(rows, dtype=np.int64), counts[known])
    return LogLevels(list(places), totals)
