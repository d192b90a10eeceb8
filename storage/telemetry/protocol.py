"""What Argux asks of a telemetry store, embedded or distributed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from detection.types import (
    EndpointSeries,
    Event,
    Floats,
    FunnelDefinition,
    FunnelProgress,
    FunnelSeries,
    Integers,
    LogRecord,
    MetricPoint,
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


@dataclass(frozen=True, slots=True)
class EventType:
    """A name of product events: how many are in the hot store, and when the first and the last of them happened."""

    event: str
    count: int
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was deleted of one person. funnel_attempts: the single attempts behind the funnels' counts.

    archived: records of any kind in the archive; the other numbers are the hot store's.
    """

    events: int
    funnel_attempts: int
    log_records: int
    metric_points: int
    archived: int = 0


@dataclass(frozen=True, slots=True)
class EndpointLevels:
    """Buckets of endpoints in brief, one entry each (n,): enough to see who deserves to be read in full.

    names: (service, endpoint); rows: indices into `names`. p95_bucket: the index of the duration histogram's bucket in
    which the 95th percentile lies.
    """

    names: Sequence[tuple[str, str]]
    rows: Integers
    bucket_starts: Floats
    request_count: Integers
    query_sum: Integers
    p95_bucket: Integers


class TelemetryStore(Protocol):
    """Append, roll up, read. Times are seconds UTC; `since` is inclusive, `until` exclusive."""

    def append_events(self, events: Sequence[Event]) -> Appended:
        """Durable when it returns. Duplicates by event_id are counted, not stored."""
        ...

    def append_event_groups(self, groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        """Several senders' events in one commit, or nothing; says of each what became of it, as if it came alone.

        The same event in two of the groups is the earlier one's.
        """
        ...

    def append_spans(self, spans: Sequence[Span]) -> Appended:
        """Durable when it returns. Duplicates by (trace_id, span_id) are counted, not stored."""
        ...

    def append_logs(self, records: Sequence[LogRecord]) -> Appended:
        """Durable when it returns. Duplicates by record_id are counted, not stored."""
        ...

    def append_metric_points(self, points: Sequence[MetricPoint]) -> Appended:
        """Durable when it returns. Duplicates by point_id are counted, not stored."""
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

    def endpoint_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        endpoints: Sequence[tuple[str, str]] | None = None,
    ) -> Sequence[EndpointSeries]:
        """One series per service and endpoint, by name. bucket_seconds: FINE_ENDPOINT_SECONDS or COARSE_SECONDS.

        endpoints: only these (service, endpoint), whose buckets are looked up one by one; for up to some hundreds.
        """
        ...

    def endpoint_levels(
        self, *, since: float, until: float, bucket_seconds: int, minimum_requests: int
    ) -> EndpointLevels:
        """All buckets with at least so many requests, in brief, by time."""
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

    def event_types(self, *, limit: int = 1000) -> Sequence[EventType]:
        """The names of events in the hot store, most frequent first."""
        ...

    def metric_samples(
        self, service: str, name: str, *, since: float, until: float, limit: int = 1000
    ) -> Sequence[MetricPoint]:
        """Points of one metric of one service in the hot store, newest first."""
        ...

    def erase_person(self, user_ids: Sequence[str]) -> Erased:
        """Forget a person known by any of these ids: their records go, counts of many stay."""
        ...

    def expire(self, *, now: float) -> int:
        """Drop what is past its retention and already rolled up; returns how many rows went."""
        ...
