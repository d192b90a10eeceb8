"""Server spans become requests with their query counts, and requests become time buckets per endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, func, select, update

from detection.types import DURATION_EDGES_MS, QUERY_EDGES, Floats, Integers, SpanKind
from storage.telemetry.hot.span_trees import Member, database_counts
from storage.telemetry.rollups.buckets import RETENTION_SECONDS, oldest_kept, starts
from storage.telemetry.rollups.marks import mark, set_mark
from storage.telemetry.rows.bulk import insert_new, put
from storage.telemetry.rows.histogram_blobs import Counts, pack, unpack
from storage.telemetry.rows.tables import endpoint_buckets, requests, spans

SETTLING_SECONDS = 2.0
"""A server span waits this long for its database spans, which exporters may send in another batch."""

_REQUEST_COLUMNS = (
    "sequence",
    "trace_id",
    "span_id",
    "service",
    "endpoint",
    "version",
    "started_at",
    "arrived_at",
    "duration_ms",
    "is_error",
    "query_count",
)
_BUCKET_COLUMNS = (
    "resolution",
    "bucket_start",
    "service",
    "endpoint",
    "request_count",
    "error_count",
    "query_sum",
    "duration_histogram",
    "query_histogram",
)
_STARTS_A_QUERY = 500

_Key = tuple[float, str, str]
"""bucket_start, service, endpoint."""


@dataclass(frozen=True, slots=True)
class _Requests:
    """Requests as columns, (n,) each; `names` are (service, endpoint), `sign` is -1 for what is taken back."""

    names: list[tuple[str, str]]
    sign: Integers
    started_at: Floats
    duration_ms: Floats
    is_error: Integers
    query_count: Integers


def roll_up_spans(connection: Connection, *, up_to: int, now: float, limit: int) -> int:
    """Take the next spans, at most `limit` and none above sequence `up_to`; returns how many.

    Spans that arrive after their request was taken correct its query count, and the buckets in which it happened.
    """
    since = mark(connection, "spans")
    top, taken = _next_spans(connection, since, up_to, now - SETTLING_SECONDS, limit)
    if not taken:
        return 0
    counted, taken_before = _query_counts(connection, since, top)
    rows = _requests_between(connection, since, top, counted)
    corrected = _corrected(connection, taken_before, counted)
    if rows or corrected:
        insert_new(connection, requests, _REQUEST_COLUMNS, rows)
        _put_query_counts(connection, corrected)
        found = _as_columns(rows, corrected)
        for bucket_seconds in RETENTION_SECONDS:
            _add_to_buckets(connection, found, bucket_seconds, now)
    set_mark(connection, "spans", top)
    return taken


def _next_spans(connection: Connection, since: int, up_to: int, arrived_by: float, limit: int) -> tuple[int, int]:
    """The last sequence to take and how many spans that is; stops before the first one that has not settled."""
    candidates = (
        select(spans.c.sequence, spans.c.arrived_at)
        .where(spans.c.sequence > since, spans.c.sequence <= up_to)
        .order_by(spans.c.sequence)
        .limit(limit)
        .subquery()
    )
    unsettled = select(func.min(candidates.c.sequence)).where(candidates.c.arrived_at > arrived_by)
    first_unsettled = connection.scalar(unsettled)
    settled = select(func.max(candidates.c.sequence), func.count())
    if first_unsettled is not None:
        settled = settled.where(candidates.c.sequence < first_unsettled)
    top, taken = connection.execute(settled.select_from(candidates)).one()
    return top or since, taken


_QueryCounts = dict[tuple[str, str], int]
"""Of each request, by (trace_id, span_id) of its server span; 0 for the missing."""


def _query_counts(connection: Connection, since: int, top: int) -> tuple[_QueryCounts, list[int]]:
    """Query counts in the traces of the spans above `since` up to `top`, and the servers that were taken before."""
    traces = select(spans.c.trace_id).where(spans.c.sequence > since, spans.c.sequence <= top)
    member = select(spans.c.trace_id, spans.c.span_id, spans.c.parent_span_id, spans.c.kind, spans.c.sequence)
    rows = connection.execute(member.where(spans.c.trace_id.in_(traces))).all()
    members: Sequence[Member] = [tuple(row[:4]) for row in rows]
    before = [row.sequence for row in rows if row.sequence <= since and row.kind == SpanKind.SERVER.value]
    return database_counts(members), before


def _requests_between(connection: Connection, since: int, top: int, counted: _QueryCounts) -> list[tuple[object, ...]]:
    """Rows of _REQUEST_COLUMNS for the server spans above `since` up to `top`."""
    is_taken = (spans.c.sequence > since) & (spans.c.sequence <= top) & (spans.c.kind == SpanKind.SERVER.value)
    endpoint = func.coalesce(spans.c.endpoint, spans.c.name).label("endpoint")
    columns = [endpoint if name == "endpoint" else spans.c[name] for name in _REQUEST_COLUMNS[:-1]]
    servers = connection.execute(select(*columns).where(is_taken).order_by(spans.c.sequence)).all()
    return [(*row, counted.get((row.trace_id, row.span_id), 0)) for row in servers]


_Corrected = list[tuple[tuple[object, ...], tuple[object, ...]]]
"""Rows of _REQUEST_COLUMNS as they were and as they are."""


def _corrected(connection: Connection, taken_before: Sequence[int], counted: _QueryCounts) -> _Corrected:
    """The requests with more queries now that more of their trace is there; what has expired of it takes none away."""
    found: _Corrected = []
    query = select(*(requests.c[name] for name in _REQUEST_COLUMNS))
    for first in range(0, len(taken_before), _STARTS_A_QUERY):
        some = taken_before[first : first + _STARTS_A_QUERY]
        for row in connection.execute(query.where(requests.c.sequence.in_(some))):
            query_count = counted.get((row.trace_id, row.span_id), 0)
            if query_count > row.query_count:
                found.append((tuple(row), (*row[:-1], query_count)))
    return found


def _put_query_counts(connection: Connection, corrected: _Corrected) -> None:
    if corrected:
        one = update(requests).where(requests.c.sequence == bindparam("number")).values(query_count=bindparam("now"))
        connection.execute(one, [{"number": row[0], "now": row[-1]} for _, row in corrected])


def _as_columns(rows: Sequence[tuple[object, ...]], corrected: _Corrected) -> _Requests:
    """A corrected request is taken back as it was and added as it is."""
    signed = [
        *((row, 1) for row in rows),
        *((before, -1) for before, _ in corrected),
        *((after, 1) for _, after in corrected),
    ]
    by_name = dict(zip(_REQUEST_COLUMNS, zip(*(row for row, _ in signed), strict=True), strict=True))
    return _Requests(
        names=list(zip(by_name["service"], by_name["endpoint"], strict=True)),
        sign=np.array([sign for _, sign in signed], dtype=np.int64),
        started_at=np.array(by_name["started_at"], dtype=np.float64),
        duration_ms=np.array(by_name["duration_ms"], dtype=np.float64),
        is_error=np.array(by_name["is_error"], dtype=np.int64),
        query_count=np.array(by_name["query_count"], dtype=np.int64),
    )


def _add_to_buckets(connection: Connection, found: _Requests, bucket_seconds: int, now: float) -> None:
    """Add requests to the buckets in which they began, those older than the retention left out."""
    bucket_starts = starts(found.started_at, bucket_seconds)
    kept = np.flatnonzero(bucket_starts >= oldest_kept(bucket_seconds, now))
    if not len(kept):
        return
    keys: dict[_Key, int] = {}
    named = ((bucket_starts[index], *found.names[index]) for index in kept.tolist())
    groups = np.array([keys.setdefault(key, len(keys)) for key in named])
    before = _existing(connection, bucket_seconds, keys)
    sign, error_count, query_count = found.sign[kept], found.is_error[kept], found.query_count[kept]
    durations = np.searchsorted(DURATION_EDGES_MS, found.duration_ms[kept], side="left")
    queries = np.searchsorted(QUERY_EDGES, query_count, side="left")
    totals = before.totals + np.stack(
        [np.bincount(groups, weights, len(keys)) for weights in (sign, sign * error_count, sign * query_count)], axis=1
    ).astype(np.int64)
    duration_blobs = pack([before.durations, Counts(groups, durations, sign)], len(keys))
    query_blobs = pack([before.queries, Counts(groups, queries, sign)], len(keys))
    rows = [
        (bucket_seconds, *key, *total, duration_blob, query_blob)
        for key, total, duration_blob, query_blob in zip(
            keys, totals.tolist(), duration_blobs, query_blobs, strict=True
        )
    ]
    put(connection, endpoint_buckets, _BUCKET_COLUMNS, rows)


@dataclass(frozen=True, slots=True)
class _Existing:
    """What the touched buckets hold already; totals: (keys, 3) of requests, errors and queries."""

    totals: Integers
    durations: Counts
    queries: Counts


def _existing(connection: Connection, bucket_seconds: int, keys: dict[_Key, int]) -> _Existing:
    totals = np.zeros((len(keys), 3), dtype=np.int64)
    durations, queries = [b""] * len(keys), [b""] * len(keys)
    touched = sorted({bucket_start for bucket_start, _, _ in keys})
    query = select(*(endpoint_buckets.c[name] for name in _BUCKET_COLUMNS[1:])).where(
        endpoint_buckets.c.resolution == bucket_seconds
    )
    for first in range(0, len(touched), _STARTS_A_QUERY):
        some = touched[first : first + _STARTS_A_QUERY]
        for row in connection.execute(query.where(endpoint_buckets.c.bucket_start.in_(some))):
            group = keys.get((row.bucket_start, row.service, row.endpoint))
            if group is not None:
                totals[group] = row.request_count, row.error_count, row.query_sum
                durations[group], queries[group] = row.duration_histogram, row.query_histogram
    return _Existing(totals, unpack(durations), unpack(queries))
