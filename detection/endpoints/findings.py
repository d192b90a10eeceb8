"""The endpoint detector: findings from consecutive strikes of latency, queries, errors or traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from detection.endpoints.coverage import strike_window_seconds
from detection.endpoints.error_findings import failure_finding, is_confirmed_failure
from detection.endpoints.error_strikes import failure_strikes
from detection.endpoints.intervals import Intervals, gathered_intervals, quantile
from detection.endpoints.normal import NormalEndpoint, normal_endpoint, settled_hours
from detection.endpoints.screening import hours_in_brief, in_brief, worth_a_look
from detection.endpoints.slow_strikes import (
    SLOW_SHARE,
    is_fading,
    latency_strikes,
    query_strikes,
    slow_requests,
    strike_runs,
)
from detection.endpoints.strike_run import Reading, endpoint_finding, fluctuation_p_value, rolling_sums, take_reading
from detection.endpoints.traffic_findings import traffic_findings
from detection.options import EndpointOptions
from detection.statistics.baselines import Mask
from detection.statistics.changepoints import mean_onset, share_onset
from detection.statistics.proportions import sigma_score
from detection.types import EndpointSeries, Finding, Floats, Metric, TimeSpans

LATENCY_DETECTOR, QUERY_DETECTOR = "endpoint_latency", "endpoint_queries"

_SHORTEST_MS = 1e-3


def endpoint_findings(
    series: Sequence[EndpointSeries],
    baseline: Sequence[EndpointSeries],
    *,
    now: float,
    options: EndpointOptions,
    excluded: Mapping[tuple[str, str], TimeSpans] | None = None,
) -> list[Finding]:
    """Return a finding for each metric of each endpoint that struck often enough in a row.

    series: fine buckets (10 s) of at least the last 30 minutes; baseline: coarse buckets (1 h) since `baseline_since`.
    excluded: by (service, endpoint), the periods in which it was broken; they are kept out of the baseline. The last
    interval judged is the last one that ended at least `ingestion_lag_seconds` before `now`. An endpoint with fewer
    than `minimum_baseline_requests` in its baseline has insufficient data and gives no finding about its requests.
    """
    until = last_interval_end(now, options)
    broken = excluded or {}
    past = {(one.service, one.endpoint): one for one in baseline}
    compared = [one for one in series if (one.service, one.endpoint) in past]
    coarse = [past[one.service, one.endpoint] for one in compared]
    return [
        *_findings_of_requests(compared, coarse, until, options, broken),
        *traffic_findings(compared, coarse, until=until, options=options, excluded=broken),
    ]


def last_interval_end(now: float, options: EndpointOptions) -> float:
    """Return the end of the last whole interval whose data have all arrived by `now`."""
    return float(np.floor((now - options.ingestion_lag_seconds) / options.interval_seconds) * options.interval_seconds)


def strike_window_start(until: float, options: EndpointOptions) -> float:
    """Return where the strike window begins; an endpoint called too rarely to fill a run within it is not judged."""
    return until - strike_window_seconds(options)


def _findings_of_requests(
    series: Sequence[EndpointSeries],
    coarse: Sequence[EndpointSeries],
    until: float,
    options: EndpointOptions,
    excluded: Mapping[tuple[str, str], TimeSpans],
) -> list[Finding]:
    """Return findings about the requests themselves: latency, queries, errors."""
    known, normals = _known(series, coarse, until, options, excluded)
    if not known:
        return []
    last = _last_intervals(known, until, options)
    enough = last.requests >= options.minimum_requests

    def readings(strikes: Mask) -> list[Reading]:
        runs = strike_runs(strikes, enough, options.consecutive_strikes)
        return [
            take_reading(known[row], normals[row], last, int(row), int(runs[row]), options)
            for row in np.flatnonzero(runs)
        ]

    slower = readings(latency_strikes(last, normals, options))
    heavier = readings(query_strikes(last, normals, options))
    failing = readings(failure_strikes(last, normals, options))
    return [
        *(_latency_finding(reading) for reading in slower if _is_confirmed_slowness(reading, options)),
        *(_query_finding(reading) for reading in heavier),
        *(failure_finding(reading) for reading in failing if is_confirmed_failure(reading, options)),
    ]


def _last_intervals(series: Sequence[EndpointSeries], until: float, options: EndpointOptions) -> Intervals:
    since = strike_window_start(until, options)
    return gathered_intervals(series, since=since, until=until, interval_seconds=options.interval_seconds)


def _known(
    series: Sequence[EndpointSeries],
    coarse: Sequence[EndpointSeries],
    until: float,
    options: EndpointOptions,
    excluded: Mapping[tuple[str, str], TimeSpans],
) -> tuple[list[EndpointSeries], list[NormalEndpoint]]:
    """Return the series that may have struck and their baselines, in the same order."""
    if not series:
        return [], []
    recent_since = until - options.recent_window_seconds
    broken = [excluded.get((one.service, one.endpoint), ()) for one in series]
    past = hours_in_brief(coarse, until, options)
    settled = np.stack([settled_hours(past.starts, recent_since, spans) for spans in broken])
    last = in_brief(_last_intervals(series, until, options))
    known: list[EndpointSeries] = []
    normals: list[NormalEndpoint] = []
    for row in np.flatnonzero(worth_a_look(last, past, settled, at=until, options=options)).tolist():
        normal = normal_endpoint(
            coarse[row], series[row], recent_since=recent_since, at=until, options=options, excluded=broken[row]
        )
        if normal is not None:
            known.append(series[row])
            normals.append(normal)
    return known, normals


def _is_confirmed_slowness(reading: Reading, options: EndpointOptions) -> bool:
    """Whether a run of slow intervals is neither a fading cold start nor usual fluctuation of the endpoint."""
    slow = slow_requests(reading.last.durations, np.array([reading.normal.slow_edge]))[0]
    if is_fading(slow[reading.run], reading.last.requests[0, reading.run]):
        return False
    return _latency_p_value(reading, options) <= options.chance


def _latency_p_value(reading: Reading, options: EndpointOptions) -> float:
    """Return the smaller p-value of the run's median and of its p95 under the natural fluctuation of the endpoint.

    The median is less noisy; the p95 shows slowness that affects only some requests.
    """
    normal, history, length = reading.normal, reading.history, options.consecutive_strikes
    enough = history.requests[0] >= options.minimum_requests
    strikes = latency_strikes(history, [normal], options)[0, enough]
    durations = rolling_sums(history.durations[0, enough], length)
    p_values = [
        fluctuation_p_value(_log_ms(quantile(durations, share)), strikes, float(_log_ms(np.array(usual))), length)
        for share, usual in ((0.5, normal.p50_ms), (0.95, normal.p95_ms))
    ]
    return min(p_values)


def _log_ms(durations: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(durations, _SHORTEST_MS)))


def _latency_finding(reading: Reading) -> Finding:
    normal, history = reading.normal, reading.history
    edge = np.array([normal.slow_edge])
    slow, requests = slow_requests(history.durations, edge)[0], history.requests[0]
    run_slow = reading.sum(slow_requests(reading.last.durations, edge)[0])
    began = share_onset(history.starts, slow, requests, normal=SLOW_SHARE, broken=run_slow / reading.requests)
    return endpoint_finding(
        reading,
        LATENCY_DETECTOR,
        Metric.LATENCY_P95,
        observed=float(quantile(reading.last.durations[0, reading.run].sum(axis=0), 0.95)),
        normal=normal.latency_range(),
        score=float(sigma_score(run_slow, reading.requests, SLOW_SHARE)),
        began=began,
    )


def _query_finding(reading: Reading) -> Finding:
    normal, history = reading.normal, reading.history
    queries, requests = history.queries[0], history.requests[0]
    observed = reading.sum(reading.last.queries[0]) / reading.requests

    # Requests of a broken endpoint vary more than before, so half the jump counts as their deviation.
    deviation = max(normal.query_deviation, (observed - normal.queries) / 2)
    began = mean_onset(history.starts, queries, requests, normal=normal.queries, broken=observed, deviation=deviation)
    variance = normal.query_deviation**2 / reading.requests + normal.query_spread**2
    return endpoint_finding(
        reading,
        QUERY_DETECTOR,
        Metric.QUERY_COUNT,
        observed=observed,
        normal=normal.query_range(),
        score=(observed - normal.queries) / float(np.sqrt(variance)),
        began=began,
    )
