"""The endpoint detector: three strikes of latency or of query count, since when, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from detection.changepoints import Onset, mean_onset, share_onset
from detection.endpoint_baselines import NormalEndpoint, normal_endpoint
from detection.histograms import Intervals, gathered_intervals, quantile
from detection.options import EndpointOptions
from detection.proportions import sigma_score
from detection.regressions import (
    SLOW_SHARE,
    downward_swing,
    is_fading,
    latency_strikes,
    query_strikes,
    slow_requests,
    strike_runs,
)
from detection.types import EndpointSeries, Finding, Floats, Integers, JsonValue, Metric, Subject

LATENCY_DETECTOR, QUERY_DETECTOR = "endpoint_latency", "endpoint_queries"
_PATIENCE = 4
"""The strikes must lie within this many times their number of intervals: an endpoint hardly called is not judged."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """One endpoint that struck: the intervals of the run (indices into `last`), and the minutes before."""

    series: EndpointSeries
    normal: NormalEndpoint
    last: Intervals
    run: Integers
    history: Intervals


def endpoint_findings(
    series: Sequence[EndpointSeries],
    baseline: Sequence[EndpointSeries],
    *,
    now: float,
    options: EndpointOptions,
) -> list[Finding]:
    """Return what is broken about endpoints: a finding for each metric that struck often enough in a row.

    series: fine buckets (10 s) of at least the last 30 minutes; baseline: coarse buckets (1 h). The last interval is
    the last that was over `ingestion_lag_seconds` before `now`. An endpoint with fewer than
    `minimum_baseline_requests` in its baseline is insufficient data and gives nothing.
    """
    until = float(np.floor((now - options.ingestion_lag_seconds) / options.interval_seconds) * options.interval_seconds)
    known, normals = _known(series, baseline, until, options)
    if not known:
        return []
    span = options.consecutive_strikes * _PATIENCE * options.interval_seconds
    last = gathered_intervals(known, since=until - span, until=until, interval_seconds=options.interval_seconds)
    enough = last.requests >= options.minimum_requests
    latency = strike_runs(latency_strikes(last, normals, options), enough, options.consecutive_strikes)
    queries = strike_runs(query_strikes(last, normals, options), enough, options.consecutive_strikes)
    slower = [
        _reading(known[row], normals[row], last, int(row), latency[row], options) for row in np.flatnonzero(latency)
    ]
    heavier = [
        _reading(known[row], normals[row], last, int(row), queries[row], options) for row in np.flatnonzero(queries)
    ]
    return [_latency_finding(reading) for reading in slower if _stands(reading, options)] + [
        _query_finding(reading) for reading in heavier
    ]


def _known(
    series: Sequence[EndpointSeries], baseline: Sequence[EndpointSeries], until: float, options: EndpointOptions
) -> tuple[list[EndpointSeries], list[NormalEndpoint]]:
    """Return the series whose normal behaviour is known, and that behaviour, in the same order."""
    past = {(one.service, one.endpoint): one for one in baseline}
    recent_since = until - options.recent_window_seconds
    fitted = [
        (one, normal_endpoint(coarse, one, recent_since=recent_since, at=until, options=options))
        for one in series
        if (coarse := past.get((one.service, one.endpoint))) is not None
    ]
    known = [(one, normal) for one, normal in fitted if normal is not None]
    return [one for one, _ in known], [normal for _, normal in known]


def _reading(
    series: EndpointSeries,
    normal: NormalEndpoint,
    last: Intervals,
    row: int,
    strikes: np.int64,
    options: EndpointOptions,
) -> _Reading:
    until = float(last.starts[-1]) + last.width
    history = gathered_intervals(
        [series],
        since=until - options.recent_window_seconds,
        until=until,
        interval_seconds=options.interval_seconds,
    )
    run = np.flatnonzero(last.requests[row] >= options.minimum_requests)[-strikes:]
    return _Reading(series, normal, last.row(row), run, history)


def _stands(reading: _Reading, options: EndpointOptions) -> bool:
    """Whether a run of slow intervals is neither a cold start dying away nor one of the endpoint's usual swings."""
    normal, last = reading.normal, reading.last
    slow = slow_requests(last.durations, np.array([normal.slow_edge]))[0]
    p95 = float(quantile(last.durations[0, reading.run].sum(axis=0), 0.95))
    swing = downward_swing(reading.history.durations[0], normal.p95_ms, options.consecutive_strikes)
    beyond = p95 >= normal.p95_ms * float(np.exp(options.anomaly_threshold * swing))
    return beyond and not is_fading(slow[reading.run], last.requests[0, reading.run])


def _latency_finding(reading: _Reading) -> Finding:
    normal, history = reading.normal, reading.history
    edge = np.array([normal.slow_edge])
    slow, requests = slow_requests(history.durations, edge)[0], history.requests[0]
    run_slow, run_requests = _run_sum(slow_requests(reading.last.durations, edge)[0], reading), _requests(reading)

    began = share_onset(history.starts, slow, requests, normal=SLOW_SHARE, broken=run_slow / run_requests)
    score = float(sigma_score(run_slow, run_requests, SLOW_SHARE))
    return _finding(
        reading,
        LATENCY_DETECTOR,
        Metric.LATENCY_P95,
        observed=float(quantile(reading.last.durations[0, reading.run].sum(axis=0), 0.95)),
        normal=normal.latency_range(),
        score=score,
        began=began,
    )


def _query_finding(reading: _Reading) -> Finding:
    normal, history = reading.normal, reading.history
    queries, requests = history.queries[0], history.requests[0]
    observed = _run_sum(reading.last.queries[0], reading) / _requests(reading)

    # Requests of a broken endpoint differ more among themselves than they did: half the jump counts as deviation too.
    deviation = max(normal.query_deviation, (observed - normal.queries) / 2)
    began = mean_onset(history.starts, queries, requests, normal=normal.queries, broken=observed, deviation=deviation)
    variance = normal.query_deviation**2 / _requests(reading) + normal.query_spread**2
    return _finding(
        reading,
        QUERY_DETECTOR,
        Metric.QUERY_COUNT,
        observed=observed,
        normal=normal.query_range(),
        score=(observed - normal.queries) / float(np.sqrt(variance)),
        began=began,
    )


def _finding(
    reading: _Reading,
    detector: str,
    metric: Metric,
    *,
    observed: float,
    normal: tuple[float, float, float],
    score: float,
    began: Onset,
) -> Finding:
    """Put a finding together; normal is (expected, low, high)."""
    series = reading.series
    return Finding(
        detector=detector,
        metric=metric,
        subject=Subject("endpoint", series.endpoint, service=series.service, endpoint=series.endpoint),
        observed=observed,
        expected=normal[0],
        expected_low=normal[1],
        expected_high=normal[2],
        sample_size=int(_requests(reading)),
        score=score,
        p_value=float(ndtr(-score)),
        window_start=float(reading.last.starts[reading.run[0]]),
        window_end=float(reading.last.starts[reading.run[-1]] + reading.last.width),
        onset_at=began.at,
        details=_details(reading, began),
    )


def _details(reading: _Reading, began: Onset) -> dict[str, JsonValue]:
    normal, requests = reading.normal, _requests(reading)
    durations = reading.last.durations[0, reading.run].sum(axis=0)
    p50, p95, p99 = (float(quantile(durations, share)) for share in (0.5, 0.95, 0.99))
    slow = _run_sum(slow_requests(reading.last.durations, np.array([normal.slow_edge]))[0], reading)
    return {
        "onset_low": began.low,
        "onset_high": began.high,
        "bucket_seconds": reading.last.width,
        "strikes": len(reading.run),
        "request_count": int(requests),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "slow_share": slow / requests,
        "queries_per_request": _run_sum(reading.last.queries[0], reading) / requests,
        "error_rate": _run_sum(reading.last.errors[0], reading) / requests,
        "baseline_requests": normal.requests,
        "baseline_p50_ms": normal.p50_ms,
        "baseline_p95_ms": normal.p95_ms,
        "baseline_p99_ms": normal.p99_ms,
        "baseline_queries_per_request": normal.queries,
        "baseline_error_rate": normal.error_rate,
    }


def _requests(reading: _Reading) -> float:
    return _run_sum(reading.last.requests[0], reading)


def _run_sum(values: Floats, reading: _Reading) -> float:
    return float(values[reading.run].sum())
