"""Request counts of endpoints on a common grid of intervals, and quantiles of their histograms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import DURATION_EDGES_MS, EndpointSeries, Floats, Integers


@dataclass(frozen=True, slots=True)
class Intervals:
    """Request counts of endpoints in intervals of `width` seconds on one grid.

    starts: (intervals,). Counts: (series, intervals). durations: (series, intervals, buckets).
    """

    starts: Floats
    width: float
    requests: Floats
    errors: Floats
    queries: Floats
    durations: Floats

    def pooled(self, columns: Integers) -> Intervals:
        """Return the given intervals summed into one."""
        return Intervals(
            self.starts[columns[:1]],
            self.width * len(columns),
            self.requests[:, columns].sum(axis=1, keepdims=True),
            self.errors[:, columns].sum(axis=1, keepdims=True),
            self.queries[:, columns].sum(axis=1, keepdims=True),
            self.durations[:, columns].sum(axis=1, keepdims=True),
        )

    def row(self, index: int) -> Intervals:
        """Return the intervals of one endpoint, still two-dimensional."""
        one = slice(index, index + 1)
        return Intervals(
            self.starts, self.width, self.requests[one], self.errors[one], self.queries[one], self.durations[one]
        )


def quantile(histogram: Floats, share: float, edges: Floats = DURATION_EDGES_MS) -> Floats:
    """Return the quantile below which `share` of the counts lie, in the unit of the edges; 0.0 where there are none.

    histogram: (..., len(edges) + 1). Counts are interpolated on the log scale within a bucket, so the error is at most
    one bucket's width, as in DDSketch (Masson, Rim and Lee 2019). Beyond the last edge the result is the last edge.
    """
    running = np.cumsum(histogram, axis=-1)
    total = running[..., -1]

    # Rounding must not skip a count: 0.95 * 180 must select the 171st.
    wanted = share * total - 1e-9
    bucket = np.minimum((running < wanted[..., None]).sum(axis=-1), len(edges))
    at = bucket[..., None]
    inside = np.take_along_axis(histogram, at, axis=-1)[..., 0]
    below = np.take_along_axis(running, at, axis=-1)[..., 0] - inside
    upper = np.maximum(edges[np.minimum(bucket, len(edges) - 1)], 1e-9)
    lower = np.where(bucket > 0, np.maximum(edges[np.maximum(bucket - 1, 0)], 1e-9), upper / 2)
    fraction = np.clip((wanted - below) / np.maximum(inside, 1e-9), 0.0, 1.0)
    return np.where(total > 0, lower * (upper / lower) ** fraction, 0.0)


def gathered_intervals(
    series: Sequence[EndpointSeries], *, since: float, until: float, interval_seconds: float
) -> Intervals:
    """Sum fine buckets into whole intervals within [since, until); a bucket counts where it begins.

    The buckets of each series must be sorted by time.
    """
    first = np.ceil(since / interval_seconds - 1e-9)
    size = max(int(np.floor(until / interval_seconds + 1e-9) - first), 0)
    shape = (len(series), size)
    requests, errors, queries = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    durations = np.zeros((*shape, len(DURATION_EDGES_MS) + 1))
    for row, one in enumerate(series):
        columns = np.floor(one.bucket_starts / interval_seconds - first + 1e-9).astype(np.int64)
        inside = np.flatnonzero((columns >= 0) & (columns < size))
        interval, begins = np.unique(columns[inside], return_index=True)
        if len(interval) == 0:
            continue
        for total, fine in (
            (requests, one.request_count),
            (errors, one.error_count),
            (queries, one.query_sum),
            (durations, one.duration_histogram),
        ):
            total[row, interval] = np.add.reduceat(fine[inside], begins, axis=0)
    starts = (first + np.arange(size)) * interval_seconds
    return Intervals(starts, interval_seconds, requests, errors, queries, durations)
