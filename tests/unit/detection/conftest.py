"""A simulated shop: series drawn from known rates and latencies, so that tests know the true values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pytest
from scipy.special import gammainc, ndtr

from detection.types import (
    DELAY_EDGES_SECONDS,
    DURATION_EDGES_MS,
    QUERY_EDGES,
    EndpointSeries,
    Floats,
    FunnelDefinition,
    FunnelSeries,
    FunnelStep,
    Integers,
)

HOUR = 3600.0


class FunnelKeywords(TypedDict, total=False):
    """Optional arguments of `Shop.funnel`."""

    delay_seconds: float
    dimension: str | None
    value: str | None


@dataclass(frozen=True)
class Shop:
    """A simulated shop that draws rolled-up series from one random generator."""

    random: np.random.Generator
    now: float = 1_770_465_600.0  # Saturday 2026-02-07 12:00:00 UTC

    def hours(self, days: float = 7.0, until: float | None = None) -> Floats:
        """Return the starts of the whole hours of the last `days` before `until`, by default before now."""
        end = self.now if until is None else until
        return np.arange(end - days * 24 * HOUR, end, HOUR, dtype=np.float64)

    def tens(self, since: float, until: float) -> Floats:
        """Return the starts of the 10 s buckets in [since, until)."""
        return np.arange(since, until, 10.0, dtype=np.float64)

    def funnel(
        self,
        starts: Floats,
        entries_per_bucket: float | Floats,
        conversion: float | Floats,
        *,
        delay_seconds: float = 20.0,
        dimension: str | None = None,
        value: str | None = None,
        until: float = np.inf,
    ) -> FunnelSeries:
        """Draw a funnel of three steps.

        The second step is reached by all who convert and by 60 % of the others. Conversions after `until` are left out.
        """
        entries: Integers = self.random.poisson(np.broadcast_to(entries_per_bucket, starts.shape))
        converted = self.random.binomial(entries, np.broadcast_to(conversion, starts.shape))
        taken = _share_converted(DELAY_EDGES_SECONDS, delay_seconds)
        seen = _share_converted(np.maximum(until - starts - 5, 0.0), delay_seconds)
        below: Floats = np.minimum(taken[None], seen[:, None])
        delays = self._histogram(converted, below, seen)
        arrived = delays.sum(axis=1)
        second = arrived + self.random.binomial(entries - arrived, 0.6)
        kept = entries > 0
        return FunnelSeries(
            funnel_id=1,
            dimension=dimension,
            value=value,
            bucket_starts=starts[kept],
            entries=entries[kept],
            reached=np.stack([entries, second, arrived], axis=1)[kept],
            converted_by_delay=delays[kept],
        )

    def endpoint(
        self,
        starts: Floats,
        requests_per_bucket: float | Floats,
        median_ms: float | Floats,
        *,
        spread: float = 0.4,
        queries: float | Floats = 4.0,
        name: str = "POST /checkout",
    ) -> EndpointSeries:
        """Draw requests with log-normal latencies around a median and exactly `queries` queries each."""
        requests: Integers = self.random.poisson(np.broadcast_to(requests_per_bucket, starts.shape))
        medians, loads = np.broadcast_to(median_ms, starts.shape), np.broadcast_to(queries, starts.shape)
        below = ndtr(np.log(DURATION_EDGES_MS / medians[:, None]) / spread)
        histogram = self._histogram(requests, below, np.ones(len(starts)))
        counts = np.zeros((len(starts), len(QUERY_EDGES) + 1), dtype=np.int64)
        counts[np.arange(len(starts)), np.searchsorted(QUERY_EDGES, loads)] = requests
        kept = requests > 0
        return EndpointSeries(
            service="shop",
            endpoint=name,
            bucket_starts=starts[kept],
            request_count=requests[kept],
            error_count=np.zeros(int(kept.sum()), dtype=np.int64),
            query_sum=(requests * loads).astype(np.int64)[kept],
            duration_histogram=histogram[kept],
            query_histogram=counts[kept],
        )

    def _histogram(self, counts: Integers, below: Floats, seen: Floats) -> Integers:
        """Draw how many of `counts` (n,) fall into each bucket, instead of drawing every single one.

        below: (n, edges) the share at or below each upper edge. seen: (n,) the share that is observed at all.
        Returns (n, edges + 1); the rest of `counts` is not observed.
        """
        nothing, everything = np.zeros((len(counts), 1)), np.ones((len(counts), 1))
        cumulative = np.concatenate([nothing, below, seen[:, None], everything], axis=1)
        drawn: Integers = self.random.multinomial(counts, np.diff(cumulative, axis=1).clip(0.0))
        return drawn[:, :-1]


def _share_converted(after: Floats, delay_seconds: float) -> Floats:
    """Return the share of conversions within `after` seconds; the time to convert is gamma distributed."""
    return np.asarray(gammainc(4.0, after / (delay_seconds / 4.0)), dtype=np.float64)


@pytest.fixture
def shop() -> Shop:
    """A shop with a fixed seed, so that a test's figures never change."""
    return Shop(np.random.default_rng(20260207))


@pytest.fixture
def signup() -> FunnelDefinition:
    """A funnel of three steps within half an hour."""
    steps = tuple(FunnelStep(name, name) for name in ("view", "form", "done"))
    return FunnelDefinition(1, "Signup", steps, 1800.0, 7)
