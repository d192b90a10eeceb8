"""Simulated API traffic: a week of history as rolled-up buckets, the last minutes as single requests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from detection.types import DURATION_EDGES_MS, Span, SpanKind
from storage.telemetry.endpoints.rollup import EndpointBucket
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.histogram_blobs import Counts, pack
from storage.telemetry.rows.tables import endpoint_buckets
from tests.scenarios.workers.live_deploys import goes_live
from tests.scenarios.workers.worker import Clock
from workers.lifecycle.tick import tick
from workers.services import Services

SERVICE = "shop"
ENDPOINTS = ("POST /checkout", "GET /cart")
PER_SECOND = 4.0
USUAL_MS = 40.0
WEEK_HOURS = 8 * 24
EXPORTED_EVERY_SECONDS = 5.0
GOOD = "1" * 40
"""The version that has been live all the week."""

FAILING = {"POST /checkout": 0.3}
"""A share of failed requests that opens an incident."""


class Api:
    """An API with two endpoints, each called PER_SECOND times a second; one request in 200 fails."""

    def __init__(self, services: Services, clock: Clock) -> None:
        self.services, self.clock = services, clock
        self.random = np.random.default_rng(7)
        self.count = 0

    def week(self) -> None:
        """Write eight days of hourly buckets up to now, and the last hour in fine buckets."""
        rows, state = _week(self.clock().timestamp())
        self.random.bit_generator.state = state
        with self.services.engine.begin() as connection:
            put(connection, endpoint_buckets, EndpointBucket._fields, rows)

    def deploy(self, sha: str) -> None:
        goes_live(self.services, sha)

    def live(
        self,
        seconds: float,
        version: str,
        *,
        failing: Mapping[str, float] | None = None,
        called: Mapping[str, float] | None = None,
        ms: float = USUAL_MS,
    ) -> None:
        """Send requests for this many seconds, in batches as a standard exporter does.

        failing, called: the share of failed requests and of the usual calls, by endpoint; defaults 0.005 and 1.
        """
        since = self.clock().timestamp()
        for begun in np.arange(0.0, seconds, EXPORTED_EVERY_SECONDS):
            passed = min(EXPORTED_EVERY_SECONDS, seconds - begun)
            spans = []
            for endpoint in ENDPOINTS:
                share = (called or {}).get(endpoint, 1.0)
                for at in since + begun + np.arange(0.0, passed, 1 / (PER_SECOND * share)) if share else ():
                    is_error = bool(self.random.random() < (failing or {}).get(endpoint, 0.005))
                    spans.append(self._span(endpoint, version, float(at), ms, is_error))
            self.clock.forward(passed)
            self.services.telemetry.append_spans(spans)
        self.clock.forward(3)

    def healthy_minute(self) -> None:
        """Write one healthy minute as rolled-up buckets, from the next full bucket on. Faster than single requests."""
        now = self.clock().timestamp()
        first = -(-now // FINE_ENDPOINT_SECONDS) * FINE_ENDPOINT_SECONDS
        tens = [first + FINE_ENDPOINT_SECONDS * number for number in range(6)]
        rows = [
            _bucket(self.random, FINE_ENDPOINT_SECONDS, start, endpoint, first + 60)
            for start in tens
            for endpoint in ENDPOINTS
        ]
        with self.services.engine.begin() as connection:
            put(connection, endpoint_buckets, EndpointBucket._fields, rows)
        self.clock.forward(first + 60 - now)

    def _span(self, endpoint: str, version: str, at: float, ms: float, is_error: bool) -> Span:
        self.count += 1
        duration_ms = float(self.random.lognormal(np.log(ms), 0.3))
        return Span(
            f"{self.count:032x}", f"{self.count:016x}", None, SpanKind.SERVER, endpoint, SERVICE, version, at,
            duration_ms, is_error, endpoint, 500 if is_error else 200,
        )  # fmt: skip


def lives(
    services: Services,
    api: Api,
    minutes: int,
    *,
    failing: Mapping[str, float] | None = None,
    called: Mapping[str, float] | None = None,
    ms: float = USUAL_MS,
) -> None:
    """Send traffic for some minutes, with one tick each; healthy traffic unless something else is said."""
    for _ in range(minutes):
        if failing or called or ms != USUAL_MS:
            api.live(57, GOOD, failing=failing, called=called, ms=ms)
        else:
            api.healthy_minute()
        tick(services)


@lru_cache(maxsize=1)
def _week(now: float) -> tuple[list[tuple[object, ...]], Mapping[str, Any]]:
    """Return eight days of hourly buckets, an hour of fine ones, and the state of the random generator after them."""
    random = np.random.default_rng(7)
    newest = now // COARSE_SECONDS * COARSE_SECONDS
    hours = [(COARSE_SECONDS, newest - number * COARSE_SECONDS) for number in range(WEEK_HOURS + 1)]
    fine = now // FINE_ENDPOINT_SECONDS * FINE_ENDPOINT_SECONDS
    tens = [(FINE_ENDPOINT_SECONDS, fine - number * FINE_ENDPOINT_SECONDS) for number in range(1, 361)]
    rows = [_bucket(random, *bucket, endpoint, now) for bucket in (*hours, *tens) for endpoint in ENDPOINTS]
    return rows, random.bit_generator.state


def _bucket(
    random: np.random.Generator, resolution: int, start: float, endpoint: str, until: float
) -> tuple[object, ...]:
    requests = int(random.poisson(PER_SECOND * min(resolution, until - start)))
    durations = random.lognormal(np.log(USUAL_MS), 0.3, requests)
    rows = np.zeros(requests, dtype=np.int64)
    blobs = [
        pack([Counts(rows, columns, rows + 1)], 1)[0]
        for columns in (np.searchsorted(DURATION_EDGES_MS, durations), rows)
    ]
    errors = int(random.binomial(requests, 0.005))
    return (resolution, start, SERVICE, endpoint, requests, errors, 0, *blobs)
