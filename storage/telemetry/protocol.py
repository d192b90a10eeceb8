"""What Argux asks of a telemetry store, embedded or distributed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from detection.types import (
    EndpointSeries,
    Event,
    FunnelDefinition,
    FunnelProgress,
    FunnelSeries,
    LogRecord,
    Span,
)

FINE_FUNNEL_SECONDS = 10
FINE_ENDPOINT_SECONDS = 10
COARSE_SECONDS = 3600

FunnelReader = Callable[[FunnelDefinition, Sequence[Event]], Sequence[FunnelProgress]]
"""All attempts that one user's events make at a funnel, one per entry; detection.funnels.attempts is the real one."""


@dataclass(frozen=True, slots=True)
class Appended:
    """How many records were new and how many had been seen before (same sender's id)."""

    accepted: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class RolledUp:
    """How many new records one pass took into the rollups; 0 everywhere means nothing was waiting."""

    events: int
    spans: int


@dataclass(frozen=True, slots=True)
class RequestSample:
    """One served call as it was: for evidence and charts."""

    trace_id: str
    endpoint: str
    version: str | None
    started_at: float
    duration_ms: float
    query_count: int
    is_error: bool


@dataclass(frozen=True, slots=True)
class StatementCount:
    """How often one SQL text ran under an endpoint's requests: `per_request` is runs divided by requests."""

    statement: str
    runs: int
    per_request: float


class TelemetryStore(Protocol):
    """Append, roll up, read. Times are seconds UTC; `since` is inclusive, `until` exclusive."""

    def append_events(self, events: Sequence[Event]) -> Appended:
        """Durable when it returns. Duplicates by event_id are counted, not stored."""
        ...

    def append_spans(self, spans: Sequence[Span]) -> Appended:
        """Durable when it returns. Duplicates by (trace_id, span_id) are counted, not stored."""
        ...

    def append_logs(self, records: Sequence[LogRecord]) -> Appended:
        """Durable when it returns. Duplicates by record_id are counted, not stored."""
        ...

    def roll_up(self, funnels: Sequence[FunnelDefinition], *, now: float, limit: int = 50_000) -> RolledUp:
        """Take up to `limit` of each not yet rolled-up kind into the rollups, whole or not at all (one transaction).

        A server span is taken 2 s after it arrived, so that its database spans are there. Late records land in the
        bucket in which they happened. A funnel made today is filled from the events still in the hot store.
        """
        ...

    def funnel_series(
        self, funnel_id: int, *, since: float, until: float, bucket_seconds: int
    ) -> Sequence[FunnelSeries]:
        """The everyone series first, then one per segment. bucket_seconds: FINE_FUNNEL_SECONDS or COARSE_SECONDS.

        Buckets without entries are left out. Fine buckets are kept for 3 hours, coarse ones for 35 days.
        """
        ...

    def endpoint_series(self, *, since: float, until: float, bucket_seconds: int) -> Sequence[EndpointSeries]:
        """One series per service and endpoint. bucket_seconds: FINE_ENDPOINT_SECONDS or COARSE_SECONDS."""
        ...

    def request_samples(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 500
    ) -> Sequence[RequestSample]:
        """Requests still in the hot store, newest first."""
        ...

    def statement_counts(
        self, service: str, endpoint: str, *, since: float, until: float, limit: int = 20
    ) -> Sequence[StatementCount]:
        """The SQL that ran under an endpoint's requests in the hot store, most frequent first."""
        ...

    def versions_seen(self, service: str, *, since: float, until: float) -> Sequence[tuple[str, float]]:
        """(version, first seen at) of a service's requests in the hot store, oldest first."""
        ...

    def log_samples(
        self,
        *,
        since: float,
        until: float,
        service: str | None = None,
        minimum_severity: str | None = None,
        limit: int = 200,
    ) -> Sequence[LogRecord]:
        """Log records in the hot store, newest first."""
        ...

    def recent_events(self, *, event: str | None = None, limit: int = 100, offset: int = 0) -> Sequence[Event]:
        """Events in the hot store, newest first."""
        ...

    def expire(self, *, now: float) -> int:
        """Drop what is past its retention and already rolled up; returns how many rows went."""
        ...
