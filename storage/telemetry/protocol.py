"""What Argux asks of a telemetry store, embedded or distributed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from detection.types import (
    EndpointSeries,
    Event,
    Floats,
    FunnelCells,
    FunnelDefinition,
    FunnelProgress,
    FunnelSeries,
    Integers,
    LogRecord,
    LogSeries,
    MetricPoint,
    MetricSeries,
    Span,
)

FINE_FUNNEL_SECONDS = 10
FINE_ENDPOINT_SECONDS = 10
FINE_METRIC_SECONDS = 60
FINE_CELL_SECONDS = 30
COARSE_SECONDS = 3600
FINE_LOG_SECONDS = 60
LOG_WINDOW_SECONDS = 600

LOG_TEMPLATE = "log_template"
LOG_PATTERN = "log_pattern"
LOG_SEVERITY = "log_severity"
"""What lines are counted by."""

LOG_OTHER = "other"
"""The template that stands for all beyond the number that a service may have."""

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
    points: int = 0
    logs: int = 0


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

    archived: records of any kind in the archive; the other numbers are the hot store's. log_samples: templates and
    patterns whose sample or text named the person; their counts stay.
    """

    events: int
    funnel_attempts: int
    log_records: int
    metric_points: int
    archived: int = 0
    log_samples: int = 0


@dataclass(frozen=True, slots=True)
class EndpointLevels:
    """One bucket of endpoints in brief, one entry each (n,): enough to see who deserves to be read in full.

    names: (service, endpoint). p95_bucket: the index of the duration histogram's bucket in which the 95th percentile
    lies.
    """

    names: Sequence[tuple[str, str]]
    request_count: Integers
    error_count: Integers
    query_sum: Integers
    p95_bucket: Integers


@dataclass(frozen=True, slots=True)
class FunnelLevels:
    """Buckets of one funnel in brief, one entry each (n,): enough to see whether it deserves to be read in full.

    names: (dimension, value) of segments, (None, None) for everyone; rows: indices into `names`. reached: (n, steps)
    how many got at least so far, the last step counted within the horizon asked for.
    """

    names: Sequence[tuple[str | None, str | None]]
    rows: Integers
    bucket_starts: Floats
    reached: Integers


@dataclass(frozen=True, slots=True)
class EndpointCount:
    """How many buckets of one endpoint were counted, and the requests in them."""

    buckets: int
    requests: int


@dataclass(frozen=True, slots=True)
class MetricName:
    """A series of a custom metric that is kept: see MetricSeries for attributes and is_rate."""

    service: str
    name: str
    attributes: str
    is_rate: bool


@dataclass(frozen=True, slots=True)
class MetricLevels:
    """Buckets of custom metrics in brief, one entry each (n,): enough to see which deserve to be read in full.

    names: (service, name, attributes); rows: indices into `names`. means: the mean of a bucket's points.
    """

    names: Sequence[tuple[str, str, str]]
    rows: Integers
    bucket_starts: Floats
    means: Floats


class LogName(NamedTuple):
    """Which lines are counted: LOG_TEMPLATE, LOG_PATTERN or LOG_SEVERITY, of which service, and its name."""

    kind: str
    service: str
    name: str


@dataclass(frozen=True, slots=True)
class LogLevels:
    """Log series in brief: names (n,), line_count (n, windows), the windows in order of time."""

    names: Sequence[LogName]
    line_count: Integers


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
        self, funnel_id: int, *, since: float, until: float, bucket_seconds: int, everyone_only: bool = False
    ) -> Sequence[FunnelSeries]:
        """The everyone series first, then one per segment. bucket_seconds: FINE_FUNNEL_SECONDS or COARSE_SECONDS.

        Buckets without entries are left out. Fine buckets are kept for 3 hours, coarse ones for 35 days.
        """
        ...

    def funnel_levels(
        self, funnel: FunnelDefinition, *, since: float, until: float, bucket_seconds: int, horizon_seconds: float
    ) -> FunnelLevels:
        """All buckets of a funnel that have entries, in brief, by time."""
        ...

    def funnel_cells(self, funnel_id: int, *, since: float, until: float, bucket_seconds: int) -> FunnelCells:
        """Cohorts by the full combination of dimension values, added up; all cells together are everyone's series.

        bucket_seconds: FINE_CELL_SECONDS, kept for 3 hours, or COARSE_SECONDS, kept for 35 days. Of a bucket's
        combinations the first 500 have a cell of their own; the rest share one whose values are all "other".
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

    def endpoint_levels(self, start: float, *, bucket_seconds: int, minimum_requests: int) -> EndpointLevels:
        """The bucket that begins at `start`, in brief, of every endpoint with at least so many requests in it.

        Where none can begin at `start`, the next one.
        """
        ...

    def endpoint_counts(
        self, *, since: float, until: float, bucket_seconds: int, minimum_requests: int = 1
    ) -> Mapping[tuple[str, str], EndpointCount]:
        """By (service, endpoint): the buckets with at least so many requests, counted."""
        ...

    def delivery_lag(self, service: str, endpoint: str, *, until: float) -> float:
        """Seconds from a request's beginning to its arrival here that few requests before `until` took longer for.

        Of the newest ones still in the hot store; 0.0 where there is none.
        """
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

    def log_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        service: str | None = None,
        kind: str | None = None,
        names: Sequence[LogName] | None = None,
    ) -> Sequence[LogSeries]:
        """Series with a line in the time, by service, kind and name; of all, or of these, looked up one by one.

        bucket_seconds: FINE_LOG_SECONDS, kept for 3 hours; LOG_WINDOW_SECONDS or COARSE_SECONDS, kept for 35 days.
        Lines of a template that has become more general since count for the one that took its place.
        """
        ...

    def log_totals(self, *, since: float, until: float) -> LogLevels:
        """Lines of every series with one, added up over the fine buckets of a time."""
        ...

    def log_hours(self, starts: Sequence[float]) -> Sequence[LogLevels]:
        """For each hour that begins then, lines of every series with one in each window of LOG_WINDOW_SECONDS."""
        ...

    def template_state(self, service: str) -> bytes | None:
        """What has been learnt of a service's templates, as detection.logs.miner_state writes it."""
        ...

    def heard_since(self) -> Mapping[str, float]:
        """When the first log line known of each service happened."""
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

    def metric_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        series: Sequence[tuple[str, str, str]] | None = None,
    ) -> Sequence[MetricSeries]:
        """Rolled-up custom metrics, by service, name and attributes.

        bucket_seconds: FINE_METRIC_SECONDS (kept for 3 hours) or COARSE_SECONDS (35 days); buckets without points are
        left out. series: only these (service, name, attributes), whose buckets are looked up one by one.
        """
        ...

    def metric_levels(self, *, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        """All buckets of custom metrics in brief, by time."""
        ...

    def metric_names(
        self, *, service: str | None = None, name: str | None = None, limit: int = 100, offset: int = 0
    ) -> Sequence[MetricName]:
        """The series of custom metrics there are, by service, name and attributes."""
        ...

    def erase_person(self, user_ids: Sequence[str]) -> Erased:
        """Forget a person known by any of these ids: their records go, counts of many stay."""
        ...

    def expire(self, *, now: float) -> int:
        """Drop what is past its retention and already rolled up; returns how many rows went."""
        ...
