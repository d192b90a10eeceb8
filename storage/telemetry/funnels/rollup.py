"""Roll up product events into time buckets per funnel and segment, by the time of entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sqlalchemy import Connection, func, select

from detection.types import DELAY_EDGES_SECONDS, FunnelDefinition, Integers
from storage.telemetry.funnels.attempts import Attempt, Changes, changed_attempts, keep_progress
from storage.telemetry.funnels.cell_rollup import add_to_cells
from storage.telemetry.people.links import link_people
from storage.telemetry.protocol import FunnelReader
from storage.telemetry.rollups.buckets import RETENTION_SECONDS, oldest_kept
from storage.telemetry.rollups.marks import mark, set_mark
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.histogram_blobs import Counts, pack, unpack
from storage.telemetry.rows.tables import events, funnel_buckets, funnel_marks

EVERYONE = ("", "")
"""The dimension and value of the everyone series, which counts every entry."""

_STARTS_PER_QUERY = 500


class _BucketKey(NamedTuple):
    """Which bucket of one funnel and resolution."""

    bucket_start: float
    dimension: str
    value: str


class FunnelBucket(NamedTuple):
    """A row of the table `funnel_buckets`; counts as in storage.telemetry.rows.histogram_blobs."""

    funnel_id: int
    resolution: int
    bucket_start: float
    dimension: str
    value: str
    entries: int
    reached: bytes
    converted_by_delay: bytes


def roll_up_events(
    connection: Connection,
    funnels: Sequence[FunnelDefinition],
    reader: FunnelReader,
    dimensions: Sequence[str],
    *,
    up_to: int,
    now: float,
    limit: int,
) -> int:
    """Roll up the next events, at most `limit` and none above sequence `up_to`; return how many.

    New funnels are behind: they take half of the pass for the events that the others have counted already. So neither
    waits for the other.
    """
    overall = mark(connection, "events")
    marks = _funnel_marks(connection, funnels)
    behind = [funnel for funnel in funnels if marks[funnel.funnel_id] < overall]
    share = max(1, limit // 2) if behind else limit
    top, taken = _next_events(connection, overall, up_to, share)
    if taken:
        link_people(connection, since=overall, top=top, now=now)
        for funnel in funnels:
            if funnel not in behind:
                _count(connection, funnel, reader, dimensions, since=marks[funnel.funnel_id], top=top, now=now)
        set_mark(connection, "events", top)
        overall = top
    if behind:
        until, earlier = _next_events(connection, min(marks[one.funnel_id] for one in behind), overall, share)
        taken += earlier
        for funnel in behind:
            _count(connection, funnel, reader, dimensions, since=marks[funnel.funnel_id], top=until, now=now)
    return taken


def filling(connection: Connection, funnels: Sequence[FunnelDefinition]) -> frozenset[int]:
    """Return the ids of the funnels that have not counted all rolled-up events yet."""
    overall = mark(connection, "events")
    marks = _funnel_marks(connection, funnels)
    return frozenset(funnel_id for funnel_id, sequence in marks.items() if sequence < overall)


def _funnel_marks(connection: Connection, funnels: Sequence[FunnelDefinition]) -> dict[int, int]:
    query = select(funnel_marks.c.funnel_id, funnel_marks.c.sequence)
    known = {row.funnel_id: row.sequence for row in connection.execute(query)}
    return {funnel.funnel_id: known.get(funnel.funnel_id, 0) for funnel in funnels}


def _count(
    connection: Connection,
    funnel: FunnelDefinition,
    reader: FunnelReader,
    dimensions: Sequence[str],
    *,
    since: int,
    top: int,
    now: float,
) -> None:
    """Count the events above `since` up to `top` for one funnel, and set its mark."""
    if since >= top:
        return
    changes = changed_attempts(connection, funnel, reader, dimensions, since=since, top=top)
    keep_progress(connection, funnel.funnel_id, changes)
    for bucket_seconds in RETENTION_SECONDS:
        _add_to_buckets(connection, funnel, changes, bucket_seconds, now)
    add_to_cells(connection, funnel, changes, dimensions, now)
    _set_funnel_mark(connection, funnel, top)


def _next_events(connection: Connection, since: int, up_to: int, limit: int) -> tuple[int, int]:
    """Return the last sequence to roll up and the number of events; when none is left, `up_to` and 0."""
    window = (
        select(events.c.sequence)
        .where(events.c.sequence > since, events.c.sequence <= up_to)
        .order_by(events.c.sequence)
        .limit(limit)
        .subquery()
    )
    top, taken = connection.execute(select(func.max(window.c.sequence), func.count()).select_from(window)).one()
    return (top, taken) if taken else (max(since, up_to), 0)


def _set_funnel_mark(connection: Connection, funnel: FunnelDefinition, sequence: int) -> None:
    columns = ("funnel_id", "sequence", "step_count", "window_seconds")
    put(connection, funnel_marks, columns, [(funnel.funnel_id, sequence, len(funnel.steps), funnel.window_seconds)])


def _add_to_buckets(
    connection: Connection, funnel: FunnelDefinition, changes: Changes, bucket_seconds: int, now: float
) -> None:
    """Subtract removed attempts from the buckets of their entry and add added ones; ignore those past retention."""
    keys: dict[_BucketKey, int] = {}
    groups: list[int] = []
    counted: list[tuple[int, Attempt]] = []
    oldest = oldest_kept(bucket_seconds, now)
    for sign, attempts in ((-1, changes.removed), (1, changes.added)):
        for attempt in attempts:
            bucket_start = attempt.entered_at // bucket_seconds * bucket_seconds
            if bucket_start >= oldest:
                for dimension, value in (EVERYONE, *attempt.dimensions.items()):
                    groups.append(keys.setdefault(_BucketKey(bucket_start, dimension, value), len(keys)))
                    counted.append((sign, attempt))
    if keys:
        _put_buckets(connection, funnel, bucket_seconds, keys, np.array(groups), counted)


def _put_buckets(
    connection: Connection,
    funnel: FunnelDefinition,
    bucket_seconds: int,
    keys: dict[_BucketKey, int],
    groups: Integers,
    counted: Sequence[tuple[int, Attempt]],
) -> None:
    signs = np.array([sign for sign, _ in counted])
    levels = np.array([len(attempt.reached_at) for _, attempt in counted])
    delays = np.array([attempt.reached_at[-1] - attempt.entered_at for _, attempt in counted])
    before = _existing(connection, funnel.funnel_id, bucket_seconds, keys)
    entries = before.entries + np.bincount(groups, signs, len(keys)).astype(np.int64)
    which, step = np.nonzero(levels[:, None] > np.arange(len(funnel.steps)))
    reached = Counts(groups[which], step, signs[which])
    finished = levels == len(funnel.steps)
    delay_bins = np.searchsorted(DELAY_EDGES_SECONDS, delays[finished], side="left")
    converted = Counts(groups[finished], delay_bins, signs[finished])
    rows = [
        FunnelBucket(
            funnel_id=funnel.funnel_id,
            resolution=bucket_seconds,
            bucket_start=key.bucket_start,
            dimension=key.dimension,
            value=key.value,
            entries=entry_count,
            reached=reached_blob,
            converted_by_delay=converted_blob,
        )
        for key, entry_count, reached_blob, converted_blob in zip(
            keys,
            np.maximum(entries, 0).tolist(),
            pack([before.reached, reached], len(keys)),
            pack([before.converted, converted], len(keys)),
            strict=True,
        )
    ]
    put(connection, funnel_buckets, FunnelBucket._fields, rows)


@dataclass(frozen=True, slots=True)
class _Existing:
    """What the buckets to change hold already; entries: (keys,)."""

    entries: Integers
    reached: Counts
    converted: Counts


def _existing(connection: Connection, funnel_id: int, bucket_seconds: int, keys: dict[_BucketKey, int]) -> _Existing:
    entries = np.zeros(len(keys), dtype=np.int64)
    reached, converted = [b""] * len(keys), [b""] * len(keys)
    touched = sorted({key.bucket_start for key in keys})
    query = select(funnel_buckets).where(
        funnel_buckets.c.funnel_id == funnel_id, funnel_buckets.c.resolution == bucket_seconds
    )
    for first in range(0, len(touched), _STARTS_PER_QUERY):
        some = touched[first : first + _STARTS_PER_QUERY]
        for row in connection.execute(query.where(funnel_buckets.c.bucket_start.in_(some))):
            group = keys.get(_BucketKey(row.bucket_start, row.dimension, row.value))
            if group is not None:
                entries[group] = row.entries
                reached[group], converted[group] = row.reached, row.converted_by_delay
    return _Existing(entries, unpack(reached), unpack(converted))
