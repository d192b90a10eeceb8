"""The baseline of an endpoint at an hour of the week: latency, database queries and errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.endpoints.intervals import quantile
from detection.options import EndpointOptions
from detection.statistics.baselines import (
    HOUR_SECONDS,
    Mask,
    RateBaseline,
    hours_of_week,
    level_baseline,
    rate_baseline,
)
from detection.types import DURATION_EDGES_MS, QUERY_EDGES, EndpointSeries, Floats, Integers, TimeSpans

MINIMUM_HOUR_REQUESTS = 20
"""The fewest requests with which an hour's p95 is meaningful."""

_FINEST_SPREAD = 0.02
"""The smallest relative spread between hours that is assumed: a histogram bucket is 10 % wide."""

MINIMUM_HOURS = 3
"""The fewest such hours for an hourly baseline; with fewer, all requests are pooled."""


@dataclass(frozen=True, slots=True)
class NormalEndpoint:
    """The expected behaviour of one endpoint.

    slow_edge: index of the histogram bucket that holds the p95; requests in later buckets are slow. p95_spread and
    query_spread: standard deviations, from hour to hour, of log p95 and of the mean number of queries.
    query_deviation: standard deviation of the queries of single requests. error_strength: effective sample size of the
    expected error rate, as in `RateBaseline`. error_low, error_high: bounds on the true rate of 95 % of hours.
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
    error_strength: float
    error_low: float
    error_high: float

    def latency_range(self) -> tuple[float, float, float]:
        """Return the expected p95 in ms and the bounds that hold 95 % of hours."""
        band = float(np.exp(1.96 * max(self.p95_spread, _FINEST_SPREAD)))
        return self.p95_ms, self.p95_ms / band, self.p95_ms * band

    def query_range(self) -> tuple[float, float, float]:
        """Return the expected queries per request and the bounds that hold 95 % of hours."""
        band = 1.96 * self.query_spread
        return self.queries, max(self.queries - band, 0.0), self.queries + band

    def error_range(self) -> tuple[float, float, float]:
        """Return the expected share of failed requests and the bounds that hold 95 % of hours."""
        return self.error_rate, self.error_low, self.error_high


@dataclass(frozen=True, slots=True)
class _Hours:
    """Past hours of one endpoint: counts (hours,), histograms (hours, buckets)."""

    starts: Floats
    requests: Floats
    queries: Floats
    errors: Floats
    durations: Floats
    query_counts: Floats

    def only(self, kept: Mask) -> _Hours:
        """Return only the hours that `kept` selects."""
        return _Hours(*(getattr(self, name)[kept] for name in self.__slots__))


def baseline_since(at: float, options: EndpointOptions) -> float:
    """Return the start of the first hour of the baseline for time `at`.

    It is one hour longer than the window, so that it includes the same hour of last week across a clock change.
    """
    return (at // HOUR_SECONDS - 1) * HOUR_SECONDS - options.baseline_window_hours * HOUR_SECONDS


def settled_hours(starts: Floats, recent_since: float, excluded: TimeSpans) -> Mask:
    """Return which of the hours that begin at `starts`, (hours,), may be used for the baseline.

    These are the hours that ended before the recent window began and that overlap no excluded (broken) period.
    """
    settled = starts + HOUR_SECONDS <= recent_since
    for begin, end in excluded:
        settled &= (starts >= end) | (starts + HOUR_SECONDS <= begin)
    return np.asarray(settled)


def normal_endpoint(
    coarse: EndpointSeries,
    fine: EndpointSeries,
    *,
    recent_since: float,
    at: float,
    options: EndpointOptions,
    excluded: TimeSpans = (),
) -> NormalEndpoint | None:
    """Fit the baseline at time `at` from coarse buckets; None when there are too few requests.

    excluded: periods in which the endpoint was broken; hours that overlap them are left out. Hours that reach beyond
    `recent_since` are left out too, so that an ongoing regression does not become its own baseline. If hardly any
    other hours exist, such hours are kept and the requests that the fine series holds since then are subtracted, so
    that a service that is an hour old still has a baseline.
    """
    every = _hours(coarse, at, options)
    hours = every.only(settled_hours(every.starts, recent_since, excluded))
    if (hours.requests >= MINIMUM_HOUR_REQUESTS).sum() < MINIMUM_HOURS:
        hours = _of_a_young_service(every, fine, recent_since, excluded)
    if hours.requests.sum() < options.minimum_baseline_requests:
        return None
    whole = hours.durations.sum(axis=0)
    p50, p95, p99 = (float(quantile(whole, share)) for share in (0.5, 0.95, 0.99))
    weekly = hours_of_week(np.append(hours.starts, at), options.timezone)
    scale, p95_spread, mean, query_spread = _for_this_hour(hours, p95, weekly)
    errors = _errors_at_this_hour(hours, weekly)
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
        error_rate=float(errors.rate[0]),
        error_strength=float(errors.strength[0]),
        error_low=float(errors.low[0]),
        error_high=float(errors.high[0]),
    )


def _hours(coarse: EndpointSeries, at: float, options: EndpointOptions) -> _Hours:
    hours = _Hours(
        starts=coarse.bucket_starts,
        requests=coarse.request_count.astype(np.float64),
        queries=coarse.query_sum.astype(np.float64),
        errors=coarse.error_count.astype(np.float64),
        durations=coarse.duration_histogram.astype(np.float64),
        query_counts=coarse.query_histogram.astype(np.float64),
    )
    return hours.only((coarse.bucket_starts >= baseline_since(at, options)) & (coarse.bucket_starts < at))


def _of_a_young_service(hours: _Hours, fine: EndpointSeries, recent_since: float, excluded: TimeSpans) -> _Hours:
    """Return all hours, minus the requests of the fine series in the recent window and in an ongoing broken period."""
    under_way = [begin for begin, end in excluded if end >= recent_since]
    since = min([recent_since, *under_way])
    over = [(begin, end) for begin, end in excluded if end < recent_since]
    if len(fine.bucket_starts) and since >= fine.bucket_starts[0]:
        kept = hours.only(settled_hours(hours.starts, np.inf, over) & (hours.starts < since))
        return _without_recent(kept, fine, since)
    return hours.only(settled_hours(hours.starts, since, over))


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


def _for_this_hour(hours: _Hours, p95: float, weekly: Integers) -> tuple[float, float, float, float]:
    """Return the ratio of this hour's p95 to the overall one, its spread, this hour's mean queries and their spread."""
    overall_mean = float(hours.queries.sum() / hours.requests.sum())
    known = hours.requests >= MINIMUM_HOUR_REQUESTS
    if known.sum() < MINIMUM_HOURS or p95 <= 0:
        return 1.0, 0.0, overall_mean, 0.0
    log_p95 = np.log(np.maximum(quantile(hours.durations, 0.95), 1e-3))
    levels = np.stack([log_p95, hours.queries / np.maximum(hours.requests, 1)])
    fit = level_baseline(levels, np.stack([known, known]), weekly[:-1], int(weekly[-1]))
    scale = float(np.exp(fit.level[0])) / p95
    return scale, float(fit.spread[0]), float(fit.level[1]), float(fit.spread[1])


def _errors_at_this_hour(hours: _Hours, weekly: Integers) -> RateBaseline:
    known = hours.requests >= MINIMUM_HOUR_REQUESTS
    if known.sum() < MINIMUM_HOURS:
        known = np.ones_like(known)
    errors, requests = hours.errors[known][None], hours.requests[known][None]
    return rate_baseline(errors, requests, weekly[:-1][known], int(weekly[-1]))


def _deviation(histogram: Floats) -> float:
    """Return the standard deviation of one request's queries, from the 5 % and 95 % quantiles to be robust."""
    edges = np.append(QUERY_EDGES, QUERY_EDGES[-1])
    share = np.cumsum(histogram) / max(float(histogram.sum()), 1.0)
    low, high = (float(edges[min(int(np.searchsorted(share, part)), len(edges) - 1)]) for part in (0.05, 0.95))
    return max((high - low) / 3.29, 0.5)
