"""Which endpoints are worth fitting a baseline for: a quick look that never turns away one that could strike.

Nearly every endpoint is well at nearly every tick. An hour's fitted level lies between the lowest and the highest of
the past hours, so an endpoint that is not even slow against its quickest hour cannot be slow against this one; likewise
with queries and errors. What traffic may be expected needs nothing but counts, and is asked at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.endpoints.intervals import Intervals
from detection.endpoints.normal import HOUR_ENOUGH, HOURS_ENOUGH, baseline_since
from detection.endpoints.traffic import could_be_off, traffic_range
from detection.options import EndpointOptions
from detection.statistics.baselines import HOUR_SECONDS, Mask
from detection.types import DURATION_EDGES_MS, EndpointSeries, Floats, Integers

P95_SHARE = 0.95
_UPPER_MS = np.append(DURATION_EDGES_MS, DURATION_EDGES_MS[-1])
_LOWER_MS = np.concatenate([[DURATION_EDGES_MS[0] / 2], DURATION_EDGES_MS])
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Brief:
    """Buckets of endpoints in brief, on a regular grid: starts (buckets,), oldest first; the rest (series, buckets).

    p95_bucket: the index of the duration histogram's bucket in which the 95th percentile lies; any where there are no
    requests.
    """

    starts: Floats
    requests: Floats
    errors: Floats
    queries: Floats
    p95_bucket: Integers


def in_brief(intervals: Intervals) -> Brief:
    """What is left of intervals once their histograms are gone."""
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
    """The starts of the hours that a baseline of time `at` may be made of, (hours,)."""
    return np.arange(baseline_since(at, options), at, HOUR_SECONDS)


def hours_in_brief(coarse: Sequence[EndpointSeries], at: float, options: EndpointOptions) -> Brief:
    """The past hours of endpoints before time `at`, one row a series."""
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


def worth_a_look(last: Brief, past: Brief, settled: Mask, *, at: float, options: EndpointOptions) -> Mask:
    """(series,): could the last intervals be a run of strikes, of any metric?

    last: the last intervals, four times `consecutive_strikes` of them; past: the past hours of the same series in the
    same order; settled: (series, hours) or (1, hours), which of them may say what is normal, as by `settled_hours`.
    """
    known = settled & (past.requests >= HOUR_ENOUGH)
    is_young = known.sum(axis=1) < HOURS_ENOUGH
    whole, slowest, heaviest, most_failing = _least_of_the_run(last, options)
    suspicious = (
        is_young
        | _slower_than_an_hour(slowest, past, known, options)
        | _heavier_than_an_hour(heaviest, past, known, options)
        | _failing_against_an_hour(most_failing, past, known, options)
    )
    rates = traffic_range(
        past.requests, np.broadcast_to(settled, past.requests.shape), past.starts, at=at, options=options
    )
    interval_seconds = float(last.starts[1] - last.starts[0])
    return np.asarray((whole & suspicious) | could_be_off(last.requests, rates, interval_seconds, options))


def _least_of_the_run(last: Brief, options: EndpointOptions) -> tuple[Mask, Floats, Floats, Floats]:
    """Of the newest intervals with enough requests: whether there are as many as a run, and the least in any.

    (series,) each: the lowest p95 in ms (not less than it is), mean queries and share of errors.
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


def _slower_than_an_hour(p95_ms: Floats, past: Brief, known: Mask, options: EndpointOptions) -> Mask:
    nowhere = len(_LOWER_MS) - 1
    quickest = _LOWER_MS[np.where(known, past.p95_bucket, nowhere).min(axis=1, initial=nowhere)]
    least = np.maximum(quickest * options.minimum_latency_ratio, quickest + options.minimum_latency_increase_ms)
    return np.asarray(p95_ms >= least * (1 - _ROUNDING))


def _heavier_than_an_hour(queries: Floats, past: Brief, known: Mask, options: EndpointOptions) -> Mask:
    lightest = _lowest(past.queries, past, known)
    least = np.maximum(lightest * options.minimum_query_ratio, lightest + options.minimum_query_increase)
    return np.asarray(queries >= least * (1 - _ROUNDING))


def _failing_against_an_hour(share: Floats, past: Brief, known: Mask, options: EndpointOptions) -> Mask:
    """A fitted rate may lie a little nearer to one half than any hour's, hence the half."""
    lowest = np.minimum(_lowest(past.errors, past, known), 0.5)
    least = np.maximum(lowest * options.minimum_error_ratio, lowest + options.minimum_error_increase)
    return np.asarray(share >= np.minimum(least, 1.0) * (1 - _ROUNDING))


def _lowest(sums: Floats, past: Brief, known: Mask) -> Floats:
    """(series,): the lowest mean of a known hour; infinite without one."""
    means = np.divide(sums, past.requests, out=np.full(past.requests.shape, np.inf), where=known)
    return np.asarray(means.min(axis=1, initial=np.inf))
