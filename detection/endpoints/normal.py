"""What is normal for an endpoint at this hour of the week: latency, queries and errors."""

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
    queries; query_deviation is that of single requests. error_strength says how many requests the error rate's
    expectation is worth, as in `RateBaseline`; error_low and error_high hold the true rate of 95 % of hours.
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
        """The expected p95 in ms with the bounds within which 95 % of hours lie."""
        band = float(np.exp(1.96 * max(self.p95_spread, _FINEST_SPREAD)))
        return self.p95_ms, self.p95_ms / band, self.p95_ms * band

    def query_range(self) -> tuple[float, float, float]:
        """The expected queries per request with the bounds within which 95 % of hours lie."""
        band = 1.96 * self.query_spread
        return self.queries, max(self.queries - band, 0.0), self.queries + band

    def error_range(self) -> tuple[float, float, float]:
        """The expected share of failed requests with the bounds within which 95 % of hours lie."""
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
        """Some of the hours."""
        return _Hours(*(getattr(self, name)[kept] for name in self.__slots__))


def baseline_since(at: float, options: EndpointOptions) -> float:
    """The start of the first hour that the baseline of time `at` is made of.

    One hour more than the window, so that the same hour of last week is in it on either side of a clock change.
    """
    return (at // HOUR_SECONDS - 1) * HOUR_SECONDS - options.baseline_window_hours * HOUR_SECONDS


def settled_hours(starts: Floats, recent_since: float, excluded: TimeSpans) -> Mask:
    """Which of the hours that begin at `starts`, (hours,), may say what is normal.

    Those that were over when the recent minutes began, and that touch no time in which something was broken.
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
    """Fit what is normal at time `at` from coarse buckets; None when there are too few requests to say.

    excluded: when the endpoint was broken; those hours are left out. The hours that reach beyond `recent_since` are
    left out too, so that an ongoing regression does not become its own baseline; only where hardly any others are
    known, what the fine series holds since then is taken out of them instead, so that a service that is an hour old
    still has a baseline.
    """
    every = _hours(coarse, at, options)
    hours = every.only(settled_hours(every.starts, recent_since, excluded))
    if (hours.requests >= HOUR_ENOUGH).sum() < HOURS_ENOUGH:
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
    """All hours, without what the fine series holds of the recent minutes and of a trouble that goes on."""
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
    """Return this hour's p95 over the overall one, its spread, the mean queries of this hour, and their spread."""
    overall_mean = float(hours.queries.sum() / hours.requests.sum())
    known = hours.requests >= HOUR_ENOUGH
    if known.sum() < HOURS_ENOUGH or p95 <= 0:
        return 1.0, 0.0, overall_mean, 0.0
    log_p95 = np.log(np.maximum(quantile(hours.durations, 0.95), 1e-3))
    levels = np.stack([log_p95, hours.queries / np.maximum(hours.requests, 1)])
    fit = level_baseline(levels, np.stack([known, known]), weekly[:-1], int(weekly[-1]))
    scale = float(np.exp(fit.level[0])) / p95
    return scale, float(fit.spread[0]), float(fit.level[1]), float(fit.spread[1])


def _errors_at_this_hour(hours: _Hours, weekly: Integers) -> RateBaseline:
    known = hours.requests >= HOUR_ENOUGH
    if known.sum() < HOURS_ENOUGH:
        known = np.ones_like(known)
    errors, requests = hours.errors[known][None], hours.requests[known][None]
    return rate_baseline(errors, requests, weekly[:-1][known], int(weekly[-1]))


def _deviation(histogram: Floats) -> float:
    """Return the standard deviation of one request's queries, from its 5 % and 95 % points: outliers do not decide."""
    edges = np.append(QUERY_EDGES, QUERY_EDGES[-1])
    share = np.cumsum(histogram) / max(float(histogram.sum()), 1.0)
    low, high = (float(edges[min(int(np.searchsorted(share, part)), len(edges) - 1)]) for part in (0.05, 0.95))
    return max((high - low) / 3.29, 0.5)
