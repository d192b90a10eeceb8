"""Store what the watch of custom metrics remembers of each series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.tables import metric_memories, metric_series

Key = tuple[str, str, str]
"""service, name, attributes."""

_IDS_PER_QUERY = 500


def read_memories(connection: Connection, series: Sequence[Key]) -> dict[Key, bytes]:
    """Return the memories of these series, where they are stored."""
    names = {number: key for key, number in _numbers(connection, series).items()}
    ids, columns = sorted(names), metric_memories.c
    found: dict[Key, bytes] = {}
    for start in range(0, len(ids), _IDS_PER_QUERY):
        query = select(metric_memories).where(columns.series_id.in_(ids[start : start + _IDS_PER_QUERY]))
        found |= {names[row.series_id]: bytes(row.memory) for row in connection.execute(query)}
    return found


def write_memories(connection: Connection, memories: Mapping[Key, bytes]) -> None:
    """Store the memories of the series that are known."""
    numbers = _numbers(connection, list(memories))
    rows = sorted((number, memories[key]) for key, number in numbers.items())
    if rows:
        put(connection, metric_memories, ("series_id", "memory"), rows)


def _numbers(connection: Connection, series: Sequence[Key]) -> dict[Key, int]:
    wanted, names = set(series), metric_series.c
    query = select(names.id, names.service, names.name, names.attributes)
    if len(wanted) <= _IDS_PER_QUERY:
        query = query.where(names.name.in_({name for _, name, _ in wanted}))
    every = {(row.service, row.name, row.attributes): row.id for row in connection.execute(query)}
    return {key: every[key] for key in wanted & every.keys()}
