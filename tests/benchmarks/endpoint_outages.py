"""The endpoint detector on bursts of errors and on traffic with daily and weekly patterns: false alarms, and delays.

Assumptions: traffic varies by 20 % and the odds of an error by 50 % (standard deviations of the logarithm), as an AR(1)
over intervals of 10 s with a correlation of 0.8 or 0.95, around a daily and weekly pattern; 2 or 10 requests per
second, of which 1 or 5 % fail. In an outage all requests fail, or 30 % of them, or none come any more; before it, 5
requests per second come and 1 % fail. An outage begins anywhere within an interval; the delay lasts from there to the
tick that finds it. The figure is the worst of the three medians.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from detection.options import EndpointOptions
from detection.types import Floats, Metric
from tests.benchmarks.endpoint_ticks import episodes, ticks
from tests.benchmarks.figures import Figure
from tests.benchmarks.noisy_endpoints import HOUR_SECONDS, INTERVAL_SECONDS
from tests.benchmarks.restless_endpoints import Course, RestlessEndpoint, course

ENDPOINTS = [
    RestlessEndpoint(correlation, requests_a_second=rate, error_rate=errors)
    for correlation, rate, errors in product((0.8, 0.95), (2.0, 10.0), (0.01, 0.05))
]
SERIES_DAYS, OUTAGES = 12, 50
FALSE_ALARMS_AT_MOST, DELAY_AT_MOST = 0.05, 60.0
OPTIONS = EndpointOptions()
NOW = 1_770_465_600.0
_PAST, _DAY = 9 * 86_400.0, 86_400.0
_PATIENCE_SECONDS = 300.0


def run(data: Path) -> Iterator[Figure]:
    """Yield the false alarms per day and series, of error and request rates together, and the delay."""
    alarms = sum(false_alarms(endpoint, SERIES_DAYS) for endpoint in ENDPOINTS)
    yield Figure(
        "endpoint_outage_false_alarms",
        alarms / (len(ENDPOINTS) * SERIES_DAYS),
        "alarms a day and series",
        "none",
        None,
        at_most=FALSE_ALARMS_AT_MOST,
    )
    usual = RestlessEndpoint(0.95)
    medians = [float(np.median(delays(usual, OUTAGES, errors=share))) for share in (1.0, 0.3, None)]
    yield Figure("endpoint_outage_delay_s", max(medians), "s, median", "none", None, at_most=DELAY_AT_MOST)


def false_alarms(endpoint: RestlessEndpoint, series: int, seed: int = 1) -> int:
    """Count the alarms of `series` healthy endpoints in one day; each tick tests all of them."""
    happened = course(endpoint, np.random.default_rng(seed), since=NOW - _PAST, until=NOW + _DAY, series=series)
    nows = NOW + np.arange(INTERVAL_SECONDS, _DAY, INTERVAL_SECONDS) + OPTIONS.ingestion_lag_seconds
    rows = range(series)
    fine = [happened.fine(row, NOW - HOUR_SECONDS, NOW + _DAY) for row in rows]
    found = ticks(fine, lambda until: [happened.coarse(row, until) for row in rows], nows=nows, options=OPTIONS)
    return episodes(list(found))


def delays(endpoint: RestlessEndpoint, outages: int, *, errors: float | None) -> Floats:
    """Return the seconds from each outage to its finding, (outages,); infinite if not found within five minutes.

    errors: the share of requests that fail from the onset on; None: no requests come any more.
    """
    random = np.random.default_rng(2)
    healthy = course(endpoint, random, since=NOW - _PAST, until=NOW + _PATIENCE_SECONDS, series=outages)
    onsets = NOW - random.uniform(0.0, INTERVAL_SECONDS, outages)
    broken = _broken(healthy, onsets, random, errors)
    rows = range(outages)
    fine = [broken.fine(row, NOW - HOUR_SECONDS, NOW + _PATIENCE_SECONDS) for row in rows]
    coarse = [broken.coarse(row, NOW) for row in rows]
    found = np.full(outages, np.inf)
    wanted = Metric.REQUEST_RATE if errors is None else Metric.ERROR_RATE
    nows = NOW + np.arange(0.0, _PATIENCE_SECONDS, INTERVAL_SECONDS) + OPTIONS.ingestion_lag_seconds
    for row, now, finding in ticks(fine, lambda until: coarse, nows=nows, options=OPTIONS):
        if finding.metric is wanted:
            found[row] = min(found[row], now - onsets[row])
    return found


def _broken(healthy: Course, onsets: Floats, random: np.random.Generator, errors: float | None) -> Course:
    """Return the course with the outage applied to the part of each interval after the onset."""
    part = np.clip((healthy.starts + INTERVAL_SECONDS - onsets[:, None]) / INTERVAL_SECONDS, 0.0, 1.0)
    hit = random.binomial(healthy.requests, part)
    if errors is None:
        left = healthy.requests - hit
        return replace(healthy, requests=left, errors=np.minimum(healthy.errors, left))
    before = np.minimum(healthy.errors, healthy.requests - hit)
    return replace(healthy, errors=before + random.binomial(hit, errors))
