"""Strikes: is an interval of an endpoint slower, or heavier on the database, than its baseline allows."""

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
"""The share of requests that are above the baseline's p95 when all is well."""


def slow_requests(durations: Floats, slow_edges: Integers) -> Floats:
    """Count the requests above the baseline's p95: (series, intervals) from durations (series, intervals, buckets).

    slow_edges: (series,).
    """
    slow = np.arange(durations.shape[-1]) > slow_edges[:, None]
    return np.asarray(np.einsum("sib,sb->si", durations, slow.astype(np.float64)))


def latency_strikes(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return (series, intervals): too many requests above the baseline p95, and an interval that `is_slower`.

    Too many is `anomaly_threshold` binomial deviations over 5 %.
    """
    slow = slow_requests(intervals.durations, np.array([normal.slow_edge for normal in normals], dtype=np.int64))
    score = sigma_score(slow, intervals.requests, SLOW_SHARE)
    return np.asarray((score >= options.anomaly_threshold) & is_slower(intervals, normals, options))


def is_slower(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return (series, intervals): is the interval's p95 above the baseline's by more than an effect worth a word.

    That is the minimum increase and the minimum ratio, or what hours differ by among themselves at
    `anomaly_threshold` deviations where that is more.
    """
    p95 = quantile(intervals.durations, 0.95)
    usual = np.array([normal.p95_ms for normal in normals])[:, None]
    spread = np.array([normal.p95_spread for normal in normals])[:, None]
    ratio = np.maximum(options.minimum_latency_ratio, np.exp(options.anomaly_threshold * spread))
    return np.asarray((p95 >= usual * ratio) & (p95 >= usual + options.minimum_latency_increase_ms))


def query_strikes(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return (series, intervals): mean queries per request above the baseline in deviations, and `is_heavier`."""
    requests = np.maximum(intervals.requests, 1)
    mean = intervals.queries / requests
    usual = np.array([normal.queries for normal in normals])[:, None]
    deviation = np.array([normal.query_deviation for normal in normals])[:, None]
    spread = np.array([normal.query_spread for normal in normals])[:, None]
    score = (mean - usual) / np.sqrt(deviation**2 / requests + spread**2)
    return np.asarray((score >= options.anomaly_threshold) & is_heavier(intervals, normals, options))


def is_heavier(intervals: Intervals, normals: Sequence[NormalEndpoint], options: EndpointOptions) -> Mask:
    """Return (series, intervals): are there more queries per request by both the minimum ratio and number."""
    mean = intervals.queries / np.maximum(intervals.requests, 1)
    usual = np.array([normal.queries for normal in normals])[:, None]
    return np.asarray((mean >= usual * options.minimum_query_ratio) & (mean >= usual + options.minimum_query_increase))


def strike_runs(strikes: Mask, enough: Mask, needed: int) -> Integers:
    """Return (series,): how many of the last intervals with enough requests are strikes in a row; 0 if under `needed`.

    Both are (series, intervals). Intervals without enough requests are passed over. The run is computed from the
    series alone, so a restarted worker counts as if it had never been away.
    """
    places = np.arange(strikes.shape[1])
    last_clear = np.where(enough & ~strikes, places, -1).max(axis=1, initial=-1)
    run = ((places > last_clear[:, None]) & enough & strikes).sum(axis=1)
    return np.where(run >= needed, run, 0)


def is_fading(slow: Floats, requests: Floats) -> bool:
    """Whether the last interval of a run has a smaller share of slow requests than the one before, beyond chance.

    (run,) each. A cold start is slow for 10 to 20 s, which can touch three intervals; its last one gives it away.
    """
    if len(slow) < 2:
        return False
    return bool(two_sample_mid_p(slow[-1], requests[-1], slow[-2], requests[-2]) < _FADING)
