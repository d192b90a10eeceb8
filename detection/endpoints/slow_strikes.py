"""Strikes for latency and database queries: intervals in which an endpoint exceeds its baseline."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.endpoints.intervals import Intervals, quantile
from detection.endpoints.normal import NormalEndpoint
from detection.options import EndpointOptions
from detection.statistics.baselines import Mask
from detection.statistics.proportions import sigma_score, two_sample_mid_p
from detection.types import Floats, Integers

_FADING = 0.01

SLOW_SHARE = 0.05
"""The share of requests above the baseline's p95 in normal operation."""


def slow_requests(durations: Floats, slow_edges: Integers) -> Floats:
    """Count the requests above the baseline's p95, (series, intervals).

    durations: (series, intervals, buckets). slow_edges: (series,), `NormalEndpoint.slow_edge` of each.
    """
    slow = np.arange(durations.shape[-1]) > slow_edges[:, None]
    return np.asarray(np.einsum("sib,sb->si", durations, slow.astype(np.float64)))


def latency_strikes(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return which intervals strike for latency, (series, intervals).

    Significantly many requests lie above the baseline's p95 (`anomaly_threshold` binomial standard deviations over
    5 %), and the interval `is_slower`.
    """
    slow = slow_requests(intervals.durations, np.array([normal.slow_edge for normal in normals], dtype=np.int64))
    score = sigma_score(slow, intervals.requests, SLOW_SHARE)
    return np.asarray((score >= options.anomaly_threshold) & is_slower(intervals, normals, options))


def is_slower(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return whether the interval's p95 exceeds the baseline's by a relevant amount, (series, intervals).

    It must exceed it by the minimum increase and by the minimum ratio; the ratio is raised to `anomaly_threshold`
    standard deviations between hours where that is more.
    """
    p95 = quantile(intervals.durations, 0.95)
    usual = np.array([normal.p95_ms for normal in normals])[:, None]
    spread = np.array([normal.p95_spread for normal in normals])[:, None]
    ratio = np.maximum(options.minimum_latency_ratio, np.exp(options.anomaly_threshold * spread))
    return np.asarray((p95 >= usual * ratio) & (p95 >= usual + options.minimum_latency_increase_ms))


def query_strikes(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return which intervals strike for queries, (series, intervals).

    The mean queries per request is `anomaly_threshold` standard deviations above the baseline, and it `is_heavier`.
    """
    requests = np.maximum(intervals.requests, 1)
    mean = intervals.queries / requests
    usual = np.array([normal.queries for normal in normals])[:, None]
    deviation = np.array([normal.query_deviation for normal in normals])[:, None]
    spread = np.array([normal.query_spread for normal in normals])[:, None]
    score = (mean - usual) / np.sqrt(deviation**2 / requests + spread**2)
    return np.asarray((score >= options.anomaly_threshold) & is_heavier(intervals, normals, options))


def is_heavier(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return whether queries per request exceed the baseline by the minimum ratio and number, (series, intervals)."""
    mean = intervals.queries / np.maximum(intervals.requests, 1)
    usual = np.array([normal.queries for normal in normals])[:, None]
    return np.asarray((mean >= usual * options.minimum_query_ratio) & (mean >= usual + options.minimum_query_increase))


def strike_runs(strikes: Mask, enough: Mask, needed: int) -> Integers:
    """Return the length of the current run of strikes, (series,); 0 if it is shorter than `needed`.

    strikes, enough: (series, intervals). Intervals without enough requests are skipped. The run is computed from the
    series alone, so a restart of the worker does not change it.
    """
    places = np.arange(strikes.shape[1])
    last_clear = np.where(enough & ~strikes, places, -1).max(axis=1, initial=-1)
    run = ((places > last_clear[:, None]) & enough & strikes).sum(axis=1)
    return np.where(run >= needed, run, 0)


def is_fading(slow: Floats, requests: Floats) -> bool:
    """Whether the share of slow requests fell significantly from the last but one interval of a run to the last.

    slow, requests: (run,). A cold start is slow for 10 to 20 s, which can touch three intervals; it fades in the last.
    """
    if len(slow) < 2:
        return False
    return bool(two_sample_mid_p(slow[-1], requests[-1], slow[-2], requests[-2]) < _FADING)
