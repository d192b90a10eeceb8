"""What is normal for an endpoint at this hour of the week: latency, queries and errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.baselines import HOUR_SECONDS, hours_of_week, level_baseline
from detection.histograms import quantile
from detection.options import EndpointOptions
from detection.types import DURATION_EDGES_MS, QUERY_EDGES, EndpointSeries, Floats

HOUR_ENOUGH = 20
"""Requests from which an hour's p95 says something of that hour."""

_FINEST_SPREAD = 0.02
"""Hours are never taken to be more alike than this, relative: a histogram bucket is 10 % wide."""

HOURS_ENOUGH = 3
"""Such hours from which the hours are told apart; below it all requests are taken together."""


@dataclass(frozen=True, slots=True)
class NormalEndpoint:
    """The expected behaviour of one endpoint.

    slow_edge is the index of the histogram bucket in which the p95 lies: requests in later buckets are slow.
    p95_spread is the standard deviation of log p95 from hour to hour, query_spread that of the mean number of
    queries; query_deviation is that of single requests.
    """

    requests: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    slow_edge: int
    p95_spread: float
    queries: float
    query_deviation: float
    query_spread: float
    error_rate: float

    def latency_range(self) -> tuple[float, float, float]:
        """The expected p95 in ms with the bounds within which 95 % of hours lie."""
        band = float(np.exp(1.96 * max(self.p95_spread, _FINEST_SPREAD)))
        return self.p95_ms, self.p95_ms / band, self.p95_ms * band

    def query_range(self) -> tuple[float, float, float]:
        """The expected queries per request with the bounds within which 95 % of hours lie."""
        band = 1.96 * self.query_spread
        return self.queries, max(self.queries - band, 0.0), self.queries + band


@dataclass(frozen=True, slots=True)
class _Hours:
    """Past hours of one endpoint: counts (hours,), histograms (hours, buckets)."""

    starts: Floats
    requests: Floats
    queries: Floats
    errors: Floats
    durations: Floats
    query_counts: Floats


def normal_endpoint(
    coarse: EndpointSeries, fine: EndpointSeries, *, recent_since: float, at: float, options: EndpointOptions
) -> NormalEndpoint | None:
    """Fit what is normal at time `at` from coarse buckets; None when there are too few requests to say.

    What the fine series holds from `recent_since` on is taken out of the hours that contain it, so that an ongoing
    regression does not become its own baseline, and a service that is an hour old still has one.
    """
    hours = _without_recent(_hours(coarse, recent_since, at, options), fine, recent_since)
    if hours.requests.sum() < options.minimum_baseline_requests:
        return None
    whole = hours.durations.sum(axis=0)
    p50, p95, p99 = (float(quantile(whole, share)) for share in (0.5, 0.95, 0.99))
    scale, p95_spread, mean, query_spread = _for_this_hour(hours, p95, at, options)
    return NormalEndpoint(
        requests=int(hours.requests.sum()),
        p50_ms=p50 * scale,
        p95_ms=p95 * scale,
        p99_ms=p99 * scale,
        slow_edge=int(np.searchsorted(DURATION_EDGES_MS, p95 * scale)),
        p95_spread=p95_spread,
        queries=mean,
        query_deviation=_deviation(hours.query_counts.sum(axis=0)),
        query_spread=query_spread,
        error_rate=float(hours.errors.sum() / hours.requests.sum()),
    )


def _hours(coarse: EndpointSeries, recent_since: float, at: float, options: EndpointOptions) -> _Hours:
    since = at - options.baseline_window_hours * HOUR_SECONDS
    kept = (coarse.bucket_starts >= since) & (coarse.bucket_starts < recent_since)
    return _Hours(
        starts=coarse.bucket_starts[kept],
        requests=coarse.request_count[kept].astype(np.float64),
        queries=coarse.query_sum[kept].astype(np.float64),
        errors=coarse.error_count[kept].astype(np.float64),
        durations=coarse.duration_histogram[kept].astype(np.float64),
        query_counts=coarse.query_histogram[kept].astype(np.float64),
    )


def _without_recent(hours: _Hours, fine: EndpointSeries, recent_since: float) -> _Hours:
    late = np.flatnonzero(fine.bucket_starts >= recent_since)
    places = np.searchsorted(hours.starts, fine.bucket_starts[late], side="right") - 1
    held = places >= 0
    held[held] &= fine.bucket_starts[late][held] < hours.starts[places[held]] + HOUR_SECONDS
    rows = late[held]
    hour, first = np.unique(places[held], return_index=True)
    for total, recent in (
        (hours.requests, fine.request_count),
        (hours.queries, fine.query_sum),
        (hours.errors, fine.error_count),
        (hours.durations, fine.duration_histogram),
        (hours.query_counts, fine.query_histogram),
    ):
        if len(hour):
            total[hour] = np.maximum(total[hour] - np.add.reduceat(recent[rows], first, axis=0), 0.0)
    return hours


def _for_this_hour(hours: _Hours, p95: float, at: float, options: EndpointOptions) -> tuple[float, float, float, float]:
    """Return this hour's p95 over the overall one, its spread, the mean queries of this hour, and their spread."""
    overall_mean = float(hours.queries.sum() / hours.requests.sum())
    known = hours.requests >= HOUR_ENOUGH
    if known.sum() < HOURS_ENOUGH or p95 <= 0:
        return 1.0, 0.0, overall_mean, 0.0
    weekly = hours_of_week(np.append(hours.starts, at), options.timezone)
    log_p95 = np.log(np.maximum(quantile(hours.durations, 0.95), 1e-3))
    levels = np.stack([log_p95, hours.queries / np.maximum(hours.requests, 1)])
    fit = level_baseline(levels, np.stack([known, known]), weekly[:-1], int(weekly[-1]))
    scale = float(np.exp(fit.level[0])) / p95
    return scale, float(fit.spread[0]), float(fit.level[1]), float(fit.spread[1])


def _deviation(histogram: Floats) -> float:
    """Return the standard deviation of one request's queries, from its 5 % and 95 % points: outliers do not decide."""
    edges = np.append(QUERY_EDGES, QUERY_EDGES[-1])
    share = np.cumsum(histogram) / max(float(histogram.sum()), 1.0)
    low, high = (float(edges[min(int(np.searchsorted(share, part)), len(edges) - 1)]) for part in (0.05, 0.95))
    return max((high - low) / 3.29, 0.5)
