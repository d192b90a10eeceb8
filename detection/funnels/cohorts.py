"""Funnel series on one common grid, with conversions counted within a horizon that is the same for every entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detection.types import DELAY_EDGES_SECONDS, Floats, FunnelSeries, Integers

FINE_SECONDS = 10.0
"""The width of the fine buckets that hold recent entries."""


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Entries, and those of them that converted within the horizon: (series, buckets).

    bucket_starts: (buckets,), regular.
    """

    bucket_starts: Floats
    entries: Floats
    converted: Floats


def conversion_delay(delays: Integers, share: float) -> float:
    """Return the delay in seconds within which `share` of the conversions came, as the upper edge of its bucket.

    delays: (len(DELAY_EDGES_SECONDS) + 1,) conversions by delay. 0.0 when there are none.
    """
    total = int(delays.sum())
    if total == 0:
        return 0.0
    bucket = int(np.searchsorted(np.cumsum(delays), share * total - 1e-9))
    return float(DELAY_EDGES_SECONDS[min(bucket, len(DELAY_EDGES_SECONDS) - 1)])


def horizon(series: FunnelSeries, window_seconds: float, *, until: float, share: float = 0.95) -> float:
    """Return how long an entry is given to convert: the 95th percentile of the delays, at most the funnel's window.

    Waiting for the whole window would detect a break a window late. Not waiting would count everyone who is still in
    progress as lost. Only buckets that begin before `until` are used. Without conversions it is the window.
    """
    delays = series.converted_by_delay[series.bucket_starts < until].sum(axis=0)
    delay = conversion_delay(delays, share)
    return min(delay, window_seconds) if delay else window_seconds


def gathered(
    series: Sequence[FunnelSeries], horizon_seconds: float, *, since: float, until: float, bucket_seconds: float
) -> Cohorts:
    """Return the series on one grid of whole buckets within [since, until); missing buckets are zero."""
    first = np.ceil(since / bucket_seconds - 1e-9)
    size = max(int(np.floor(until / bucket_seconds + 1e-9) - first), 0)
    entries, converted = np.zeros((len(series), size)), np.zeros((len(series), size))
    for row, one in enumerate(series):
        columns = np.rint(one.bucket_starts / bucket_seconds - first).astype(np.int64)
        inside = (columns >= 0) & (columns < size)
        entries[row, columns[inside]] = one.entries[inside]
        converted[row, columns[inside]] = _converted_within(one, horizon_seconds)[inside]
    return Cohorts((first + np.arange(size)) * bucket_seconds, entries, converted)


def gathered_steps(
    series: Sequence[FunnelSeries], horizon_seconds: float, *, since: float, until: float, bucket_seconds: float
) -> list[Cohorts]:
    """Return, as `gathered`, one grid for each step after the first.

    entries: users who reached the step before; converted: users who reached the step itself. The last step counts only
    within the horizon; earlier steps count whenever they were reached.
    """
    if not series:
        return []
    first = np.ceil(since / bucket_seconds - 1e-9)
    size = max(int(np.floor(until / bucket_seconds + 1e-9) - first), 0)
    steps = series[0].reached.shape[1]
    reached = np.zeros((steps, len(series), size))
    for row, one in enumerate(series):
        columns = np.rint(one.bucket_starts / bucket_seconds - first).astype(np.int64)
        inside = (columns >= 0) & (columns < size)
        reached[:-1, row, columns[inside]] = one.reached[inside, :-1].T
        reached[-1, row, columns[inside]] = _converted_within(one, horizon_seconds)[inside]
    starts = (first + np.arange(size)) * bucket_seconds
    return [Cohorts(starts, before, after) for before, after in pairwise(reached)]


def totals(series: FunnelSeries, horizon_seconds: float, *, since: float, until: float) -> tuple[int, int, Integers]:
    """Sum the buckets that begin in [since, until): entries, conversions within the horizon, reached (steps,)."""
    inside = (series.bucket_starts >= since) & (series.bucket_starts < until)
    return (
        int(series.entries[inside].sum()),
        int(_converted_within(series, horizon_seconds)[inside].sum()),
        np.asarray(series.reached[inside].sum(axis=0), dtype=np.int64),
    )


def _converted_within(series: FunnelSeries, horizon_seconds: float) -> Integers:
    """Return the conversions within the horizon, rounded up to the next edge of the delay buckets, (n,)."""
    buckets = int(np.searchsorted(DELAY_EDGES_SECONDS, horizon_seconds - 1e-9)) + 1
    return np.asarray(series.converted_by_delay[:, :buckets].sum(axis=1), dtype=np.int64)
