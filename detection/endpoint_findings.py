"""The endpoint detector: three strikes of latency or of query count, since when, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from detection.changepoints import Onset, mean_onset, share_onset
from detection.endpoint_baselines import NormalEndpoint, normal_endpoint
from detection.endpoint_screening import worth_a_look
from detection.histograms import Intervals, gathered_intervals, quantile
from detection.options import EndpointOptions
from detection.proportions import sigma_score
from detection.regressions import (
    SLOW_SHARE,
    is_fading,
    latency_strikes,
    query_strikes,
    slow_requests,
    strike_runs,
)
from detection.swings import height_p_value, jump_p_value
from detection.types import EndpointSeries, Finding, Floats, Integers, JsonValue, Metric, Subject

LATENCY_DETECTOR, QUERY_DETECTOR = "endpoint_latency", "endpoint_queries"
_PATIENCE = 4
"""The strikes must lie within this many times their number of intervals: an endpoint hardly called is not judged."""

_SHORTEST_MS = 1e-3


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
    last = _last_intervals(known, until, options)
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


def _last_intervals(series: Sequence[EndpointSeries], until: float, options: EndpointOptions) -> Intervals:
    span = options.consecutive_strikes * _PATIENCE * options.interval_seconds
    return gathered_intervals(series, since=until - span, until=until, interval_seconds=options.interval_seconds)


def _known(
    series: Sequence[EndpointSeries], baseline: Sequence[EndpointSeries], until: float, options: EndpointOptions
) -> tuple[list[EndpointSeries], list[NormalEndpoint]]:
    """Return the series that may have struck and what is known to be normal for them, in the same order."""
    past = {(one.service, one.endpoint): one for one in baseline}
    compared = [one for one in series if (one.service, one.endpoint) in past]
    coarse = [past[one.service, one.endpoint] for one in compared]
    promising = worth_a_look(_last_intervals(compared, until, options), coarse, options)
    recent_since = until - options.recent_window_seconds
    known: list[EndpointSeries] = []
    normals: list[NormalEndpoint] = []
    for row in np.flatnonzero(promising):
        normal = normal_endpoint(coarse[row], compared[row], recent_since=recent_since, at=until, options=options)
        if normal is not None:
            known.append(compared[row])
            normals.append(normal)
    return known, normals


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
        since=until - options.swing_window_seconds,
        until=until,
        interval_seconds=options.interval_seconds,
    )
    run = np.flatnonzero(last.requests[row] >= options.minimum_requests)[-strikes:]
    return _Reading(series, normal, last.row(row), run, history)


def _stands(reading: _Reading, options: EndpointOptions) -> bool:
    """Whether a run of slow intervals is neither a cold start dying away nor one of the endpoint's usual swings."""
    slow = slow_requests(reading.last.durations, np.array([reading.normal.slow_edge]))[0]
    if is_fading(slow[reading.run], reading.last.requests[0, reading.run]):
        return False
    return _chance_of_a_swing(reading, options) <= options.chance


def _chance_of_a_swing(reading: _Reading, options: EndpointOptions) -> float:
    """The smallest p-value of the run under the endpoint's own wandering, of its median and of its p95.

    The median is the surer witness, having less noise of its own; the p95 sees what only some requests suffer.
    """
    normal, history, length = reading.normal, reading.history, options.consecutive_strikes
    enough = history.requests[0] >= options.minimum_requests
    strikes = latency_strikes(history, [normal], options)[0, enough]
    clear = np.flatnonzero(~strikes)
    began = int(clear[-1]) + 1 if len(clear) else 0
    running = np.cumsum(history.durations[0, enough], axis=0)
    together = running[length - 1 :] - np.concatenate([np.zeros((1, running.shape[1])), running[:-length]])
    p_values: list[float] = []
    for share, usual in ((0.5, normal.p50_ms), (0.95, normal.p95_ms)):
        levels = np.log(np.maximum(quantile(together, share), _SHORTEST_MS))
        before, during = levels[: max(began - length + 1, 0)], levels[began:]
        p_values += [
            jump_p_value(before, float(during[0]), length),
            height_p_value(before, during, float(np.log(max(usual, _SHORTEST_MS))), length),
        ]
    return min(p_values)


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
