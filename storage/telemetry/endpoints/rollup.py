"""Roll up spans: server spans become requests with query counts, requests become time buckets per endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, bindparam, func, select, update

from detection.types import DURATION_EDGES_MS, QUERY_EDGES, Floats, Integers, SpanKind
from storage.telemetry.endpoints.names import EndpointNames
from storage.telemetry.hot.span_trees import SpanNode, database_counts
from storage.telemetry.rollups.buckets import RETENTION_SECONDS, oldest_kept, starts
from storage.telemetry.rollups.marks import mark, set_mark
from storage.telemetry.rollups.waiting import SETTLING_SECONDS
from storage.telemetry.rows.bulk import insert_new, put, read_columns
from storage.telemetry.rows.histogram_blobs import Counts, pack, unpack
from storage.telemetry.rows.tables import endpoint_buckets, requests, spans

_STARTS_PER_QUERY = 500


class _Request(NamedTuple):
    """A row of the table `requests`."""

    sequence: int
    trace_id: str
    span_id: str
    service: str
    endpoint: str
    version: str | None
    started_at: float
    arrived_at: float
    duration_ms: float
    is_error: bool
    query_count: int


class _Correction(NamedTuple):
    """A request whose query count has grown: its row as stored, and its query count now."""

    request: _Request
    query_count: int


class _BucketKey(NamedTuple):
    """Which bucket of one resolution."""

    bucket_start: float
    service: str
    endpoint: str


class EndpointBucket(NamedTuple):
    """A row of the table `endpoint_buckets`; histograms as in storage.telemetry.rows.histogram_blobs."""

    resolution: int
    bucket_start: float
    service: str
    endpoint: str
    request_count: int
    error_count: int
    query_sum: int
    duration_histogram: bytes
    query_histogram: bytes


_QueryCounts = dict[tuple[str, str], int]
"""Database spans per request, by (trace_id, span_id) of its server span. A request that is not in it has none."""


@dataclass(frozen=True, slots=True)
class _SignedRequests:
    """Requests as columns, (n,) each; `names` are (service, endpoint). sign: 1 to add, -1 to take back."""

    names: list[tuple[str, str]]
    sign: Integers
    started_at: Floats
    duration_ms: Floats
    is_error: Integers
    query_count: Integers


def roll_up_spans(connection: Connection, *, up_to: int, now: float, limit: int) -> int:
    """Roll up the next spans, at most `limit` and none above sequence `up_to`; return how many.

    Spans that arrive after their request was rolled up correct its query count, in the buckets in which it happened.
    """
    since = mark(connection, "spans")
    top, taken = _next_spans(connection, since, up_to, now - SETTLING_SECONDS, limit)
    if not taken:
        return 0
    query_counts, earlier_servers = _query_counts(connection, since, top)
    new = _with_bounded_names(connection, _new_requests(connection, since, top, query_counts), now)
    corrections = _corrections(connection, earlier_servers, query_counts)
    if new or corrections:
        insert_new(connection, requests, _Request._fields, new)
        _update_query_counts(connection, corrections)
        signed = _signed_columns(new, corrections)
        for bucket_seconds in RETENTION_SECONDS:
            _add_to_buckets(connection, signed, bucket_seconds, now)
    set_mark(connection, "spans", top)
    return taken


def _next_spans(connection: Connection, since: int, up_to: int, arrived_by: float, limit: int) -> tuple[int, int]:
    """Return the last sequence to roll up and the number of spans; stop before the first span that has not settled."""
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


def _query_counts(connection: Connection, since: int, top: int) -> tuple[_QueryCounts, list[int]]:
    """Count queries in the traces of the spans above `since` up to `top`.

    Also return the sequences of the server spans in these traces that were rolled up before.
    """
    traces = select(spans.c.trace_id).where(spans.c.sequence > since, spans.c.sequence <= top)
    query = select(spans.c.trace_id, spans.c.span_id, spans.c.parent_span_id, spans.c.kind, spans.c.sequence)
    trace_ids, span_ids, parents, kinds, sequences = read_columns(connection, query.where(spans.c.trace_id.in_(traces)))
    nodes = list(map(SpanNode, trace_ids, span_ids, parents, kinds))
    earlier_servers = [
        sequence
        for sequence, kind in zip(sequences, kinds, strict=True)
        if sequence <= since and kind == SpanKind.SERVER.value
    ]
    return database_counts(nodes), earlier_servers


def _new_requests(connection: Connection, since: int, top: int, query_counts: _QueryCounts) -> list[_Request]:
    """Make the requests of the server spans above `since` up to `top`."""
    is_taken = (spans.c.sequence > since) & (spans.c.sequence <= top) & (spans.c.kind == SpanKind.SERVER.value)
    endpoint = func.coalesce(spans.c.endpoint, spans.c.name).label("endpoint")
    columns = [endpoint if name == "endpoint" else spans.c[name] for name in _Request._fields if name != "query_count"]
    servers = connection.execute(select(*columns).where(is_taken).order_by(spans.c.sequence)).all()
    return [_Request._make((*row, query_counts.get((row.trace_id, row.span_id), 0))) for row in servers]


def _with_bounded_names(connection: Connection, new: Sequence[_Request], now: float) -> list[_Request]:
    names = EndpointNames(connection, (request.service for request in new))
    endpoints = names.counted_as([(request.service, request.endpoint) for request in new], now)
    return [request._replace(endpoint=endpoint) for request, endpoint in zip(new, endpoints, strict=True)]


def _corrections(
    connection: Connection, earlier_servers: Sequence[int], query_counts: _QueryCounts
) -> list[_Correction]:
    """Find the requests that have more queries now that more of their trace has arrived.

    A count never falls: a part of the trace may have expired since it was counted.
    """
    found: list[_Correction] = []
    query = select(*(requests.c[name] for name in _Request._fields))
    for first in range(0, len(earlier_servers), _STARTS_PER_QUERY):
        some = earlier_servers[first : first + _STARTS_PER_QUERY]
        for row in connection.execute(query.where(requests.c.sequence.in_(some))):
            request = _Request(*row)
            query_count = query_counts.get((request.trace_id, request.span_id), 0)
            if query_count > request.query_count:
                found.append(_Correction(request, query_count))
    return found


def _update_query_counts(connection: Connection, corrections: Sequence[_Correction]) -> None:
    if corrections:
        one = update(requests).where(requests.c.sequence == bindparam("number")).values(query_count=bindparam("now"))
        connection.execute(one, [{"number": each.request.sequence, "now": each.query_count} for each in corrections])


def _signed_columns(new: Sequence[_Request], corrections: Sequence[_Correction]) -> _SignedRequests:
    """Add new requests; take corrected requests back as they were and add them with their query count now."""
    corrected = [each.request for each in corrections]
    rows = [*new, *corrected, *corrected]
    query_counts = [row.query_count for row in (*new, *corrected)] + [each.query_count for each in corrections]
    return _SignedRequests(
        names=[(row.service, row.endpoint) for row in rows],
        sign=np.repeat(np.array([1, -1, 1], dtype=np.int64), [len(new), len(corrected), len(corrected)]),
        started_at=np.array([row.started_at for row in rows], dtype=np.float64),
        duration_ms=np.array([row.duration_ms for row in rows], dtype=np.float64),
        is_error=np.array([row.is_error for row in rows], dtype=np.int64),
        query_count=np.array(query_counts, dtype=np.int64),
    )


def _add_to_buckets(connection: Connection, signed: _SignedRequests, bucket_seconds: int, now: float) -> None:
    """Add requests to the buckets in which they began; leave out requests older than the retention."""
    bucket_starts = starts(signed.started_at, bucket_seconds)
    kept = np.flatnonzero(bucket_starts >= oldest_kept(bucket_seconds, now))
    if not len(kept):
        return
    keys: dict[_BucketKey, int] = {}
    names = (signed.names[index] for index in kept.tolist())
    groups = np.array(
        [
            keys.setdefault(_BucketKey(bucket_start, service, endpoint), len(keys))
            for bucket_start, (service, endpoint) in zip(bucket_starts[kept].tolist(), names, strict=True)
        ]
    )
    before = _existing(connection, bucket_seconds, keys)
    sign, error_count, query_count = signed.sign[kept], signed.is_error[kept], signed.query_count[kept]
    durations = np.searchsorted(DURATION_EDGES_MS, signed.duration_ms[kept], side="left")
    queries = np.searchsorted(QUERY_EDGES, query_count, side="left")
    totals = before.totals + np.stack(
        [np.bincount(groups, weights, len(keys)) for weights in (sign, sign * error_count, sign * query_count)], axis=1
    ).astype(np.int64)
    duration_blobs = pack([before.durations, Counts(groups, durations, sign)], len(keys))
    query_blobs = pack([before.queries, Counts(groups, queries, sign)], len(keys))
    rows = [
        EndpointBucket(
            resolution=bucket_seconds,
            bucket_start=key.bucket_start,
            service=key.service,
            endpoint=key.endpoint,
            request_count=request_count,
            error_count=error_count,
            query_sum=query_sum,
            duration_histogram=duration_blob,
            query_histogram=query_blob,
        )
        for key, (request_count, error_count, query_sum), duration_blob, query_blob in zip(
            keys, totals.tolist(), duration_blobs, query_blobs, strict=True
        )
    ]
    put(connection, endpoint_buckets, EndpointBucket._fields, rows)


@dataclass(frozen=True, slots=True)
class _Existing:
    """What the buckets to change hold already; totals: (keys, 3), the requests, errors and queries."""

    totals: Integers
    durations: Counts
    queries: Counts


def _existing(connection: Connection, bucket_seconds: int, keys: dict[_BucketKey, int]) -> _Existing:
    totals = np.zeros((len(keys), 3), dtype=np.int64)
    durations, queries = [b""] * len(keys), [b""] * len(keys)
    touched = sorted({key.bucket_start for key in keys})
    query = select(endpoint_buckets).where(endpoint_buckets.c.resolution == bucket_seconds)
    for first in range(0, len(touched), _STARTS_PER_QUERY):
        some = touched[first : first + _STARTS_PER_QUERY]
        for row in connection.execute(query.where(endpoint_buckets.c.bucket_start.in_(some))):
            group = keys.get(_BucketKey(row.bucket_start, row.service, row.endpoint))
            if group is not None:
                totals[group] = row.request_count, row.error_count, row.query_sum
                durations[group], queries[group] = row.duration_histogram, row.query_histogram
    return _Existing(totals, unpack(durations), unpack(queries))
