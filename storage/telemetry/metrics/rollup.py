"""Roll up points of custom metrics into time buckets per series: gauges as values, counters as rates per second."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from detection.types import Floats, Integers, MetricKind
from storage.telemetry.metrics.counter_rates import CounterPoint, NewestPoint, rates_of_increase
from storage.telemetry.metrics.series import Key, SeriesNames, labels, source_within_other, within
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS, METRIC_MINUTES_KEPT_SECONDS
from storage.telemetry.rollups.marks import mark, set_mark
from storage.telemetry.rows.bulk import Row, put
from storage.telemetry.rows.tables import metric_buckets, metric_counters, metric_points

METRIC_RETENTION_SECONDS = {FINE_METRIC_SECONDS: METRIC_MINUTES_KEPT_SECONDS, COARSE_SECONDS: 35 * 86_400.0}
"""How long buckets of each size are kept, in seconds."""

MAX_SOURCES_PER_SERIES = 200
"""How many counters (sources) of one series are tracked; the points of further ones are ignored."""

_LARGEST = 1e150
_KINDS = {kind.value: kind for kind in MetricKind}

_IDS_PER_QUERY = 500
_COUNTER_COLUMNS = ("series_id", "source", "happened_at", "value", "gap_seconds")
_BUCKET_COLUMNS = ("resolution", "bucket_start", "series_id", "total", "count", "low", "high")


@dataclass(slots=True)
class _Values:
    """Values to put into buckets, as columns: (n,) each."""

    series: list[int]
    moments: list[float]
    values: list[float]

    def add(self, series: int, happened_at: float, value: float) -> None:
        self.series.append(series)
        self.moments.append(happened_at)
        self.values.append(value)


def oldest_metric_bucket(bucket_seconds: int, now: float) -> float:
    """Return the oldest bucket start that is kept; earlier buckets are neither kept nor written."""
    return math.floor((now - METRIC_RETENTION_SECONDS[bucket_seconds]) / bucket_seconds) * float(bucket_seconds)


def roll_up_points(connection: Connection, *, up_to: int, now: float, limit: int) -> int:
    """Roll up the next points, at most `limit` and none above sequence `up_to`; return how many."""
    since = mark(connection, "points")
    columns = metric_points.c
    query = (
        select(columns.sequence, columns.service, columns.name, columns.happened_at, columns.value)
        .add_columns(columns.kind, columns.attributes)
        .where(columns.sequence > since, columns.sequence <= up_to)
        .order_by(columns.sequence)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    if not rows:
        return 0
    values = _values(connection, rows, now)
    if values.series:
        _put_into_buckets(connection, values, now)
    set_mark(connection, "points", rows[-1].sequence)
    return len(rows)


def _values(connection: Connection, rows: Sequence[Any], now: float) -> _Values:
    """Assign points to their series, and turn counters into rates."""
    read, short = lru_cache(maxsize=None)(labels), lru_cache(maxsize=None)(within)
    parsed = [
        (row, read(row.attributes), _KINDS[row.kind])
        for row in rows
        if math.isfinite(row.value) and abs(row.value) < _LARGEST
    ]
    plain: list[Key] = [(short(row.service), short(row.name), one.text) for row, one, _ in parsed]
    names = SeriesNames(connection, {key[:2] for key in plain})
    keyed = [names.key_within(key, one.scope) for key, (_, one, _) in zip(plain, parsed, strict=True)]
    kinds = [(key, kind is not MetricKind.GAUGE) for key, (_, _, kind) in zip(keyed, parsed, strict=True)]
    names.admit(kinds, now=now)
    found = _Values([], [], [])
    counters: dict[tuple[int, str], list[CounterPoint]] = defaultdict(list)
    for key, (row, one, kind) in zip(keyed, parsed, strict=True):
        series, is_other = names.series_of(key)
        if kind is MetricKind.GAUGE:
            found.add(series, row.happened_at, row.value)
        else:
            source = source_within_other(row.attributes) if is_other else one.source
            counters[series, source].append(CounterPoint(row.happened_at, row.value, kind))
    _add_rates(connection, counters, found)
    hours: dict[int, float] = {}
    for series, moment in zip(found.series, found.moments, strict=True):
        hour = moment // COARSE_SECONDS * COARSE_SECONDS
        hours[series] = max(hour, hours.get(series, 0.0))
    names.update_last_seen(hours)
    return found


def _add_rates(connection: Connection, counters: dict[tuple[int, str], list[CounterPoint]], found: _Values) -> None:
    """Add the rates of counters, each point compared with the one before it, and store the newest points."""
    known = _newest(connection, {series for series, _ in counters})
    sources = defaultdict[int, int](int)
    for series, _ in known:
        sources[series] += 1
    kept: list[Row] = []
    for (series, source), points in counters.items():
        if (series, source) not in known:
            if sources[series] >= MAX_SOURCES_PER_SERIES:
                continue
            sources[series] += 1
        rates, newest = rates_of_increase(points, known.get((series, source)))
        for happened_at, rate in rates:
            found.add(series, happened_at, rate)
        if newest is not None:
            kept.append((series, source, newest.happened_at, newest.value, newest.gap_seconds))
    if kept:
        put(connection, metric_counters, _COUNTER_COLUMNS, kept)


def _newest(connection: Connection, series: Iterable[int]) -> dict[tuple[int, str], NewestPoint]:
    columns, ids = metric_counters.c, sorted(series)
    found: dict[tuple[int, str], NewestPoint] = {}
    for start in range(0, len(ids), _IDS_PER_QUERY):
        query = select(metric_counters).where(columns.series_id.in_(ids[start : start + _IDS_PER_QUERY]))
        for row in connection.execute(query):
            found[row.series_id, row.source] = NewestPoint(row.happened_at, row.value, row.gap_seconds)
    return found


def _put_into_buckets(connection: Connection, values: _Values, now: float) -> None:
    series, moments = np.array(values.series, dtype=np.int64), np.array(values.moments)
    for bucket_seconds in METRIC_RETENTION_SECONDS:
        starts = np.floor(moments / bucket_seconds) * bucket_seconds
        kept = starts >= oldest_metric_bucket(bucket_seconds, now)
        rows = _rows(bucket_seconds, starts[kept], series[kept], np.array(values.values)[kept])
        if rows:
            connection.execute(_upsert(connection.dialect.name), rows)


def _rows(bucket_seconds: int, starts: Floats, series: Integers, values: Floats) -> list[dict[str, Any]]:
    """Make one row per bucket (sum, count, lowest and highest value), in the order of the primary key."""
    if not len(starts):
        return []
    order = np.lexsort((series, starts))
    starts, series, values = starts[order], series[order], values[order]
    first = np.flatnonzero(np.concatenate([[True], (np.diff(starts) != 0) | (np.diff(series) != 0)]))
    totals, lows = np.add.reduceat(values, first), np.minimum.reduceat(values, first)
    highs, counts = np.maximum.reduceat(values, first), np.diff(np.append(first, len(values)))
    columns = (starts[first], series[first], totals, counts, lows, highs)
    return [
        dict(zip(_BUCKET_COLUMNS, (bucket_seconds, *row), strict=True))
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _upsert(dialect: str) -> Any:
    """Build the statement that inserts buckets, or adds to the existing ones."""
    is_postgresql = dialect == "postgresql"
    insert: Any = (postgresql.insert if is_postgresql else sqlite.insert)(metric_buckets)
    least, greatest = (func.least, func.greatest) if is_postgresql else (func.min, func.max)
    columns, new = metric_buckets.c, insert.excluded
    return insert.on_conflict_do_update(
        index_elements=["resolution", "bucket_start", "series_id"],
        set_={
            "total": columns.total + new.total,
            "count": columns["count"] + new["count"],
            "low": least(columns.low, new.low),
            "high": greatest(columns.high, new.high),
        },
    )
