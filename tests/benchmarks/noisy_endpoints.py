"""Simulated endpoints of a busy machine: the median latency follows a first-order autoregression."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtr

from detection.types import DURATION_EDGES_MS, QUERY_EDGES, EndpointSeries, Floats

INTERVAL_SECONDS, HOUR_SECONDS = 10.0, 3600.0
_INTERVALS_AN_HOUR = int(HOUR_SECONDS / INTERVAL_SECONDS)
_EVERY = 6
"""A past hour is made of every sixth of its intervals: just as good, and six times as fast."""


@dataclass(frozen=True, slots=True)
class NoisyEndpoint:
    """An endpoint whose requests are log-normal around a median that varies over time.

    wander: the standard deviation of the log of the median. correlation: that of one interval of 10 s with the next.
    spread: the standard deviation of the log of single requests.
    """

    correlation: float
    wander: float = 0.15
    median_ms: float = 100.0
    spread: float = 0.4
    requests_a_second: float = 10.0

    def levels(self, random: np.random.Generator, intervals: int, *, series: int) -> Floats:
        """Return (series, intervals): the log of the median, beginning in its stationary distribution."""
        steps = random.normal(0.0, self.wander * np.sqrt(1 - self.correlation**2), (series, intervals))
        steps[:, 0] = random.normal(0.0, self.wander, series)
        return np.asarray(np.log(self.median_ms) + lfilter([1.0], [1.0, -self.correlation], steps, axis=1))

    def fine(self, random: np.random.Generator, levels: Floats, *, since: float, name: str) -> EndpointSeries:
        """Draw buckets of 10 s around the given levels, (intervals,)."""
        starts = since + np.arange(len(levels), dtype=np.float64) * INTERVAL_SECONDS
        requests = random.poisson(self.requests_a_second * INTERVAL_SECONDS, len(levels))
        return _series(name, starts, requests, random.multinomial(requests, self._shares(levels)))

    def shifting(
        self, random: np.random.Generator, levels: Floats, *, onset: float, factor: float, since: float, name: str
    ) -> EndpointSeries:
        """Draw buckets that are `factor` times as slow from the onset on; the interval of the onset is mixed."""
        starts = since + np.arange(len(levels), dtype=np.float64) * INTERVAL_SECONDS
        requests = random.poisson(self.requests_a_second * INTERVAL_SECONDS, len(levels))
        part = np.clip((starts + INTERVAL_SECONDS - onset) / INTERVAL_SECONDS, 0.0, 1.0)[:, None]
        shares = (1 - part) * self._shares(levels) + part * self._shares(levels + np.log(factor))
        return _series(name, starts, requests, random.multinomial(requests, shares))

    def coarse(self, random: np.random.Generator, hours: int, *, until: float, name: str) -> EndpointSeries:
        """Draw hourly buckets, each from an independent path of levels."""
        starts = until - np.arange(hours, 0, -1, dtype=np.float64) * HOUR_SECONDS
        requests = random.poisson(self.requests_a_second * HOUR_SECONDS, hours)
        paths = self.levels(random, _INTERVALS_AN_HOUR, series=hours)
        shares = np.stack([self._shares(path[::_EVERY]).mean(axis=0) for path in paths])
        return _series(name, starts, requests, random.multinomial(requests, shares))

    def _shares(self, levels: Floats) -> Floats:
        """Return (n, buckets): the probability of each latency bucket."""
        below = ndtr((np.log(DURATION_EDGES_MS) - levels[:, None]) / self.spread)
        return np.diff(below, axis=1, prepend=0.0, append=1.0)


def part(series: EndpointSeries, since: float, until: float) -> EndpointSeries:
    """Return the buckets that begin in [since, until), without copying them."""
    first, last = np.searchsorted(series.bucket_starts, [since, until])
    arrays = {
        field.name: getattr(series, field.name)[first:last]
        for field in fields(series)
        if field.name not in ("service", "endpoint")
    }
    return EndpointSeries(series.service, series.endpoint, **arrays)


def _series(name: str, starts: Floats, requests: NDArray[np.int64], durations: NDArray[np.int64]) -> EndpointSeries:
    """Make a series in which every request runs 4 queries and none fails."""
    queries = np.zeros((len(starts), len(QUERY_EDGES) + 1), dtype=np.int64)
    queries[:, int(np.searchsorted(QUERY_EDGES, 4))] = requests
    return EndpointSeries("shop", name, starts, requests, np.zeros_like(requests), 4 * requests, durations, queries)
