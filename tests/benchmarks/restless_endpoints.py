"""Simulated endpoints with daily and weekly traffic patterns, and errors that come in bursts.

The requests of an interval are Poisson; their rate depends on the hour of the day and the day of the week, and varies
as a first-order autoregression on the log scale. The error rate varies likewise on the log-odds scale. Only counts
matter: every request takes 40 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.special import expit, logit

from detection.types import DURATION_EDGES_MS, QUERY_EDGES, EndpointSeries, Floats, Integers
from tests.benchmarks.noisy_endpoints import HOUR_SECONDS, INTERVAL_SECONDS

_DAY, _WEEK = 86_400.0, 7 * 86_400.0
_DURATION_BUCKET = int(np.searchsorted(DURATION_EDGES_MS, 40.0))
_SWING_AT_NIGHT = 1.2
"""The log of the ratio of the busiest hour to the mean, and of the mean to the quietest hour."""

_WEEKEND = 0.4


@dataclass(frozen=True, slots=True)
class RestlessEndpoint:
    """An endpoint with varying traffic and error rate.

    correlation: that of one interval of 10 s with the next. wander, error_wander: standard deviations on the log scale.
    """

    correlation: float
    requests_a_second: float = 5.0
    wander: float = 0.2
    error_rate: float = 0.01
    error_wander: float = 0.5


@dataclass(frozen=True, slots=True)
class Course:
    """Requests and errors of endpoints, (series, intervals); the intervals begin at `starts`, (intervals,)."""

    starts: Floats
    requests: Integers
    errors: Integers

    def fine(self, row: int, since: float, until: float) -> EndpointSeries:
        """Return the buckets of one endpoint that begin in [since, until)."""
        first, last = np.searchsorted(self.starts, [since, until])
        columns = slice(int(first), int(last))
        return _series(str(row), self.starts[columns], self.requests[row, columns], self.errors[row, columns])

    def coarse(self, row: int, until: float) -> EndpointSeries:
        """Return the hourly buckets of one endpoint that began before `until`, with the requests up to then."""
        last = int(np.searchsorted(self.starts, until))
        hours, first = np.unique(self.starts[:last] // HOUR_SECONDS, return_index=True)
        requests, errors = (
            np.add.reduceat(values[row, :last], first) if len(first) else values[row, :0]
            for values in (self.requests, self.errors)
        )
        return _series(str(row), hours * HOUR_SECONDS, requests, errors)


def course(
    endpoint: RestlessEndpoint, random: np.random.Generator, *, since: float, until: float, series: int
) -> Course:
    """Draw the course of `series` such endpoints; `since` and `until` are whole intervals."""
    starts = np.arange(since, until, INTERVAL_SECONDS)
    shape = (series, len(starts))
    rate = endpoint.requests_a_second * INTERVAL_SECONDS * _rhythm(starts)
    requests = random.poisson(rate * np.exp(_wandering(random, shape, endpoint.correlation, endpoint.wander)))
    odds = logit(endpoint.error_rate) + _wandering(random, shape, endpoint.correlation, endpoint.error_wander)
    return Course(starts, requests, random.binomial(requests, expit(odds)))


def _rhythm(starts: Floats) -> Floats:
    """Return the traffic relative to the mean: a daily wave, and quiet weekends (the epoch was a Thursday)."""
    of_day = np.exp(_SWING_AT_NIGHT * np.sin(2 * np.pi * (starts % _DAY) / _DAY - np.pi / 2))
    is_weekend = ((starts // _DAY + 3) % 7) >= 5
    return np.asarray(of_day * np.where(is_weekend, _WEEKEND, 1.0))


def _wandering(random: np.random.Generator, shape: tuple[int, int], correlation: float, deviation: float) -> Floats:
    steps = random.normal(0.0, deviation * np.sqrt(1 - correlation**2), shape)
    steps[:, 0] = random.normal(0.0, deviation, shape[0])
    return np.asarray(lfilter([1.0], [1.0, -correlation], steps, axis=1))


def _series(name: str, starts: Floats, requests: Integers, errors: Integers) -> EndpointSeries:
    called = requests > 0
    durations = np.zeros((int(called.sum()), len(DURATION_EDGES_MS) + 1), dtype=np.int64)
    durations[:, _DURATION_BUCKET] = requests[called]
    queries = np.zeros((int(called.sum()), len(QUERY_EDGES) + 1), dtype=np.int64)
    queries[:, int(np.searchsorted(QUERY_EDGES, 4))] = requests[called]
    return EndpointSeries(
        "shop", name, starts[called], requests[called], errors[called], 4 * requests[called], durations, queries
    )
