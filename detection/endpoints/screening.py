"""Screen endpoints: a cheap test that selects those worth fitting a baseline for and misses none that could strike.

Nearly every endpoint is healthy at nearly every tick. The fitted level of an hour lies between the lowest and the
highest of the past hours. So an endpoint that is not slow against its quickest hour cannot be slow against the fitted
one; the same holds for queries and errors. Traffic needs only counts, so its test is run directly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.endpoints.intervals import Intervals
from detection.endpoints.normal import MINIMUM_HOUR_REQUESTS, MINIMUM_HOURS, baseline_since
from detection.endpoints.traffic import TrafficRange, could_be_abnormal, traffic_range
from detection.options import EndpointOptions
from detection.statistics.baselines import HOUR_SECONDS, Mask
from detection.types import DURATION_EDGES_MS, EndpointSeries, Floats, Integers

P95_SHARE = 0.95
_UPPER_MS = np.append(DURATION_EDGES_MS, DURATION_EDGES_MS[-1])
_LOWER_MS = np.concatenate([[DURATION_EDGES_MS[0] / 2], DURATION_EDGES_MS])
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Brief:
    """A summary of endpoint buckets on a regular grid: starts (buckets,), oldest first; the rest (series, buckets).

    p95_bucket: index of the duration histogram's bucket that holds the 95th percentile; arbitrary without requests.
    """

    starts: Floats
    requests: Floats
    errors: Floats
    queries: Floats
    p95_bucket: Integers


def in_brief(intervals: Intervals) -> Brief:
    """Return a summary of intervals without their histograms."""
    running = np.cumsum(intervals.durations, axis=-1)
    wanted = P95_SHARE * running[..., -1] - _ROUNDING
    bucket = (running < wanted[..., None]).sum(axis=-1)
    return Brief(
        starts=intervals.starts,
        requests=intervals.requests,
        errors=intervals.errors,
        queries=intervals.queries,
        p95_bucket=np.minimum(bucket, len(DURATION_EDGES_MS)),
    )


def past_hours(at: float, options: EndpointOptions) -> Floats:
    """Return the starts of the hours that a baseline at time `at` may use, (hours,)."""
    return np.arange(baseline_since(at, options), at, HOUR_SECONDS)


def hours_in_brief(coarse: Sequence[EndpointSeries], at: float, options: EndpointOptions) -> Brief:
    """Return a summary of the past hours of endpoints before time `at`, one row per series."""
    starts = past_hours(at, options)
    shape = (len(coarse), len(starts))
    brief = Brief(starts, np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64))
    for row, one in enumerate(coarse):
        places = np.round((one.bucket_starts - starts[0]) / HOUR_SECONDS).astype(np.int64)
        inside = np.flatnonzero((places >= 0) & (places < len(starts)))
        columns = places[inside]
        brief.requests[row, columns] = one.request_count[inside]
        brief.errors[row, columns] = one.error_count[inside]
        brief.queries[row, columns] = one.query_sum[inside]
        running = np.cumsum(one.duration_histogram[inside], axis=1)
        wanted = P95_SHARE * running[:, -1:] - _ROUNDING
        brief.p95_bucket[row, columns] = np.minimum((running < wanted).sum(axis=1), len(DURATION_EDGES_MS))
    return brief


@dataclass(frozen=True, slots=True)
class Limits:
    """What the past hours say of each endpoint, (series,) each: one whose last intervals stay below cannot have struck.

    is_young: whether there are too few hours to say anything. p95_ms, queries, error_share: below these it is healthy.
    rates: the expected requests per second. They are the same as long as the hours and the hour of the week are.
    """

    is_young: Mask
    p95_ms: Floats
    queries: Floats
    error_share: Floats
    rates: TrafficRange

    def with_unknown(self, series: int) -> Limits:
        """Return limits of this many series in all: nothing is known of the further ones."""
        more = series - len(self.is_young)
        if more <= 0:
            return self
        unknown = np.full(more, np.inf)
        rates = (np.append(rate, np.full(more, np.nan)) for rate in (self.rates.low, self.rates.usual, self.rates.high))
        return Limits(
            np.append(self.is_young, np.ones(more, dtype=bool)),
            np.append(self.p95_ms, unknown),
            np.append(self.queries, unknown),
            np.append(self.error_share, unknown),
            TrafficRange(*rates),
        )


def limits_of_past(past: Brief, settled: Mask, *, at: float, options: EndpointOptions) -> Limits:
    """Return the limits at time `at`.

    past: the past hours; settled: (series, hours) or (1, hours), which hours may be used for a baseline, from
    `settled_hours`.
    """
    known = settled & (past.requests >= MINIMUM_HOUR_REQUESTS)
    every_settled = np.broadcast_to(settled, past.requests.shape)
    return Limits(
        is_young=known.sum(axis=1) < MINIMUM_HOURS,
        p95_ms=_slow_against_some_hour(past, known, options),
        queries=_heavy_against_some_hour(past, known, options),
        error_share=_failing_against_some_hour(past, known, options),
        rates=traffic_range(past.requests, every_settled, past.starts, at=at, options=options),
    )


def reaches(last: Brief, limits: Limits, options: EndpointOptions) -> Mask:
    """Return whether the last intervals could be a run of strikes of any metric, (series,).

    last: the last intervals, four times `consecutive_strikes` of them, of the same series in the same order.
    """
    whole, p95_ms, queries, error_share = _minima_of_run(last, options)
    suspicious = (
        limits.is_young | (p95_ms >= limits.p95_ms) | (queries >= limits.queries) | (error_share >= limits.error_share)
    )
    interval_seconds = float(last.starts[1] - last.starts[0])
    return np.asarray((whole & suspicious) | could_be_abnormal(last.requests, limits.rates, interval_seconds, options))


def worth_a_look(last: Brief, past: Brief, settled: Mask, *, at: float, options: EndpointOptions) -> Mask:
    """Return whether the last intervals could be a run of strikes, by the past hours: `reaches` of `limits_of_past`."""
    return reaches(last, limits_of_past(past, settled, at=at, options=options), options)


def _minima_of_run(last: Brief, options: EndpointOptions) -> tuple[Mask, Floats, Floats, Floats]:
    """Return whether there are enough busy intervals for a run, and the smallest values in the newest such run.

    (series,) each: the lowest p95 in ms (an upper bound of it), mean queries per request, and share of errors.
    """
    enough = last.requests >= options.minimum_requests
    behind = np.cumsum(enough[:, ::-1], axis=1)[:, ::-1]
    run = enough & (behind <= options.consecutive_strikes)
    requests = np.maximum(last.requests, 1)
    least = [
        np.where(run, values, np.inf).min(axis=1, initial=np.inf)
        for values in (_UPPER_MS[last.p95_bucket], last.queries / requests, last.errors / requests)
    ]
    return run.sum(axis=1) >= options.consecutive_strikes, least[0], least[1], least[2]


def _slow_against_some_hour(past: Brief, known: Mask, options: EndpointOptions) -> Floats:
    nowhere = len(_LOWER_MS) - 1
    quickest = _LOWER_MS[np.where(known, past.p95_bucket, nowhere).min(axis=1, initial=nowhere)]
    least = np.maximum(quickest * options.minimum_latency_ratio, quickest + options.minimum_latency_increase_ms)
    return np.asarray(least * (1 - _ROUNDING))


def _heavy_against_some_hour(past: Brief, known: Mask, options: EndpointOptions) -> Floats:
    lightest = _lowest(past.queries, past, known)
    least = np.maximum(lightest * options.minimum_query_ratio, lightest + options.minimum_query_increase)
    return np.asarray(least * (1 - _ROUNDING))


def _failing_against_some_hour(past: Brief, known: Mask, options: EndpointOptions) -> Floats:
    # A fitted rate may lie a little nearer to one half than that of any hour.
    lowest = np.minimum(_lowest(past.errors, past, known), 0.5)
    least = np.maximum(lowest * options.minimum_error_ratio, lowest + options.minimum_error_increase)
    return np.asarray(np.minimum(least, 1.0) * (1 - _ROUNDING))


def _lowest(sums: Floats, past: Brief, known: Mask) -> Floats:
    """Return the lowest mean of any known hour, (series,); infinite without one."""
    means = np.divide(sums, past.requests, out=np.full(past.requests.shape, np.inf), where=known)
    return np.asarray(means.min(axis=1, initial=np.inf))
