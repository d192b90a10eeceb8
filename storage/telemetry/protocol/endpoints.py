"""Reading requests by service and endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from detection.types import EndpointSeries, Integers, Span
from storage.telemetry.protocol.traced import Traced


@dataclass(frozen=True, slots=True)
class RequestSample:
    """One served request, for evidence and charts."""

    trace_id: str
    endpoint: str
    version: str | None
    started_at: float
    duration_ms: float
    query_count: int
    is_error: bool


@dataclass(frozen=True, slots=True)
class StatementCount:
    """How often one SQL statement ran in an endpoint's requests. per_request: runs divided by requests."""

    statement: str
    runs: int
    per_request: float


@dataclass(frozen=True, slots=True)
class EndpointLevels:
    """One bucket of many endpoints in brief, (n,) each: enough to decide which endpoints to read in full.

    names: (service, endpoint). p95_bucket: the index of the duration histogram's bucket that contains the 95th
    percentile.
    """

    names: Sequence[tuple[str, str]]
    request_count: Integers
    error_count: Integers
    query_sum: Integers
    p95_bucket: Integers


@dataclass(frozen=True, slots=True)
class EndpointCount:
    """The number of counted buckets of one endpoint, and of the requests in them."""

    buckets: int
    requests: int


@dataclass(frozen=True, slots=True)
class EndpointTotals:
    """The sums of one bucket over all endpoints: they change whenever requests are added to it."""

    endpoints: int
    requests: int
    errors: int
    queries: int


class ReadsEndpoints(Protocol):
    """Reads the counts and durations of endpoints, and the requests behind them."""

    def endpoint_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        endpoints: Sequence[tuple[str, str]] | None = None,
    ) -> Sequence[EndpointSeries]:
        """Return one series per service and endpoint, ordered by name.

        bucket_seconds: FINE_ENDPOINT_SECONDS or COARSE_SECONDS. endpoints: only these (service, endpoint), whose
        buckets are looked up one by one; use it for at most some hundreds.
        """
        ...

    def endpoint_totals(self, start: float, *, bucket_seconds: int, minimum_requests: int) -> EndpointTotals:
        """Return the sums of what `endpoint_levels` returns for this start: faster than reading every endpoint."""
        ...

    def endpoint_levels(
        self, starts: Sequence[float], *, bucket_seconds: int, minimum_requests: int
    ) -> Sequence[EndpointLevels]:
        """Return, for each start, the first bucket at or after it, in brief, of every endpoint with enough requests.

        Endpoints with fewer than `minimum_requests` in a bucket are left out of it.
        """
        ...

    def endpoint_counts(
        self, *, since: float, until: float, bucket_seconds: int, minimum_requests: int = 1
    ) -> Mapping[tuple[str, str], EndpointCount]:
        """Count by (service, endpoint) the buckets with at least `minimum_requests` requests, and their requests."""
        ...

    def delivery_lag(self, service: str, endpoint: str, *, until: float) -> float:
        """Return the delivery lag in seconds: from a request's start to the arrival of its span.

        Few of the newest requests before `until` that are still in the hot store took longer; 0.0 if there are none.
        """
        ...

    def request_samples(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 500
    ) -> Sequence[RequestSample]:
        """Return requests still in the hot store, newest first."""
        ...

    def statement_counts(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 20
    ) -> Sequence[StatementCount]:
        """Count the SQL statements of an endpoint's requests in the hot store, most frequent first."""
        ...

    def traces(self, *, since: float, until: float, limit: int = 300) -> Sequence[Sequence[Span]]:
        """Return up to `limit` whole traces that are still in the hot store, each ordered by time.

        A third of them failed, a third are the slowest, a third are the oldest, to compare with.
        """
        ...

    def traced_between(self, *, since: float, until: float, most_spans: int) -> Traced:
        """Return the hot store's spans that started within the time, and the lines of their traces in that time.

        Of more than about `most_spans` spans, whole traces are left out, whichever they are.
        """
        ...

    def versions_seen(self, service: str, *, since: float, until: float) -> Sequence[tuple[str, float]]:
        """Return (version, time first seen) of a service's requests in the hot store, oldest first."""
        ...

    def calls_above(self, sequence: int, up_to: int, *, arrived_since: float) -> tuple[Sequence[tuple[str, str]], int]:
        """Return (caller, callee) of server spans above a sequence number and up to another, each pair once.

        Caller and callee are different services. Of many spans only the newest are read. Also return the number of the
        newest span. Parents that arrived before `arrived_since` (seconds UTC) may be missed.
        """
        ...

    def versions_above(self, sequence: int) -> tuple[Sequence[tuple[str, str, float]], int]:
        """Return (service, version, time first seen) of the rolled-up requests above a sequence number.

        Also return the number to ask with next time, so that each request is read once.
        """
        ...
