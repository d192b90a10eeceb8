"""The interface of a telemetry store, embedded or distributed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
"""The kinds of log series: lines are counted by template, by named pattern and by severity."""

LOG_OTHER = "other"
"""The template that lines are counted under once a service has its maximum number of templates."""

FunnelReader = Callable[[FunnelDefinition, Sequence[Event]], Sequence[FunnelProgress]]
"""Finds all attempts at a funnel in one user's events, one per entry. Production uses detection.funnels.attempts."""


@dataclass(frozen=True, slots=True)
class Appended:
    """How many records of an append were new, and how many were duplicates (same sender's id)."""

    accepted: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class RolledUp:
    """How many records of each kind one roll-up pass took; 0 everywhere means nothing was waiting."""

    events: int
    spans: int
    points: int = 0
    logs: int = 0


class HighWater(NamedTuple):
    """For each kind of record, the sequence number up to which all records are committed."""

    events: int
    spans: int
    points: int = 0
    logs: int = 0


class WholeUntil(NamedTuple):
    """For each kind of record, the time (seconds, UTC) before which all arrived records are rolled up."""

    events: float
    spans: float
    points: float
    logs: float

    @classmethod
    def all_at(cls, moment: float) -> WholeUntil:
        """Return the same moment for every kind."""
        return cls(moment, moment, moment, moment)


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
class EventType:
    """A name of product events: their number in the hot store, and the times of the first and the last."""

    event: str
    count: int
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class Erased:
    """How many records of one person were deleted.

    funnel_attempts: the stored attempts behind the funnels' counts. archived: records of any kind in the archive; the
    other numbers are for the hot store. log_samples: templates and patterns whose sample or text named the person and
    was changed; their counts stay.
    """

    events: int
    funnel_attempts: int
    log_records: int
    metric_points: int
    archived: int = 0
    log_samples: int = 0


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
class FunnelLevels:
    """Buckets of one funnel in brief, (n,) each: enough to decide whether to read the funnel in full.

    names: (dimension, value) of segments, (None, None) for everyone. rows: indices into `names`. reached: (n, steps),
    how many attempts reached at least each step; the last step only within the requested horizon.
    """

    names: Sequence[tuple[str | None, str | None]]
    rows: Integers
    bucket_starts: Floats
    reached: Integers


@dataclass(frozen=True, slots=True)
class EndpointCount:
    """The number of counted buckets of one endpoint, and of the requests in them."""

    buckets: int
    requests: int


@dataclass(frozen=True, slots=True)
class MetricName:
    """The name of a series of a custom metric. attributes, is_rate: see MetricSeries."""

    service: str
    name: str
    attributes: str
    is_rate: bool


@dataclass(frozen=True, slots=True)
class MetricLevels:
    """Buckets of custom metrics in brief, (n,) each: enough to decide which series to read in full.

    names: (service, name, attributes). rows: indices into `names`. means: the mean of each bucket's points.
    """

    names: Sequence[tuple[str, str, str]]
    rows: Integers
    bucket_starts: Floats
    means: Floats


class LogName(NamedTuple):
    """The key of a log series. kind: LOG_TEMPLATE, LOG_PATTERN or LOG_SEVERITY."""

    kind: str
    service: str
    name: str


@dataclass(frozen=True, slots=True)
class LogLevels:
    """Log series in brief: names (n,), line_count (n, windows), with the windows ordered by time."""

    names: Sequence[LogName]
    line_count: Integers


class TelemetryStore(Protocol):
    """Appends records, rolls them up and reads both. Times are seconds UTC; `since` is inclusive, `until` exclusive."""

    def append_events(self, events: Sequence[Event]) -> Appended:
        """Append events; durable on return. Duplicates by event_id are counted, not stored."""
        ...

    def append_event_groups(self, groups: Sequence[Sequence[Event]]) -> Sequence[Appended]:
        """Append several senders' events in one commit, or none; return a result per group, as if appended alone.

        An event in two groups is new in the earlier group and a duplicate in the later one.
        """
        ...

    def append_spans(self, spans: Sequence[Span]) -> Appended:
        """Append spans; durable on return. Duplicates by (trace_id, span_id) are counted, not stored."""
        ...

    def append_logs(self, records: Sequence[LogRecord]) -> Appended:
        """Append log records; durable on return. Duplicates by record_id are counted, not stored."""
        ...

    def append_metric_points(self, points: Sequence[MetricPoint]) -> Appended:
        """Append metric points; durable on return. Duplicates by point_id are counted, not stored."""
        ...

    def high_water(self) -> HighWater:
        """Return how far a roll-up can go at this moment: everything appended so far."""
        ...

    def roll_up(
        self,
        funnels: Sequence[FunnelDefinition],
        *,
        now: float,
        up_to: HighWater | None = None,
        limit: int = 50_000,
        kinds: Collection[str] = HighWater._fields,
    ) -> RolledUp:
        """Make one pass: roll up the next records of these kinds into their buckets, and return how many were taken.

        Each kind is one short transaction, so that an append waits little: at most `limit` records, fewer where they
        take long. None above `up_to` is taken (default: everything appended so far). Call until nothing is taken. A
        failed pass changes nothing of its kind. Late records count in the bucket in which they happened. A funnel that
        is new is filled from the hot store beside the others.
        """
        ...

    def whole_until(self, *, now: float, up_to: HighWater | None = None) -> WholeUntil:
        """Return until when the rollups are whole: `now`, or the arrival of the oldest record that still waits.

        up_to: leave out the records above it.
        """
        ...

    def filling(self, funnels: Sequence[FunnelDefinition]) -> frozenset[int]:
        """Return the ids of those funnels whose rollups still lack events of the hot store, because they are new."""
        ...

    def funnel_series(
        self, funnel_id: int, *, since: float, until: float, bucket_seconds: int, everyone_only: bool = False
    ) -> Sequence[FunnelSeries]:
        """Return the everyone series first, then one per segment; empty for a funnel never rolled up.

        bucket_seconds: FINE_FUNNEL_SECONDS or COARSE_SECONDS.
        Buckets without entries are left out. Fine buckets are kept for 3 hours, coarse ones for 35 days.
        """
        ...

    def funnel_levels(
        self, funnel: FunnelDefinition, *, since: float, until: float, bucket_seconds: int, horizon_seconds: float
    ) -> FunnelLevels:
        """Return all buckets of a funnel that have entries, in brief, ordered by time."""
        ...

    def funnel_cells(self, funnel_id: int, *, since: float, until: float, bucket_seconds: int) -> FunnelCells:
        """Return cohorts by full combination of dimension values, summed over the time range.

        All cells together add up to the everyone series. bucket_seconds: FINE_CELL_SECONDS, kept for 3 hours, or
        COARSE_SECONDS, kept for 35 days. The first 500 combinations of a bucket have a cell of their own; the others
        share one cell whose values are all "other".
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
        """Return one series per service and endpoint, ordered by name.

        bucket_seconds: FINE_ENDPOINT_SECONDS or COARSE_SECONDS. endpoints: only these (service, endpoint), whose
        buckets are looked up one by one; use it for at most some hundreds.
        """
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

    def versions_seen(self, service: str, *, since: float, until: float) -> Sequence[tuple[str, float]]:
        """Return (version, time first seen) of a service's requests in the hot store, oldest first."""
        ...

    def versions_above(self, sequence: int) -> tuple[Sequence[tuple[str, str, float]], int]:
        """Return (service, version, time first seen) of the rolled-up requests above a sequence number.

        Also return the number to ask with next time, so that each request is read once.
        """
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
        """Return log records in the hot store, newest first."""
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
        """Return the log series with a line in the time range, by service, kind and name.

        service, kind: only series of these. names: only these series, whose buckets are looked up one by one.
        bucket_seconds: FINE_LOG_SECONDS, kept for 3 hours; LOG_WINDOW_SECONDS or COARSE_SECONDS, kept for 35 days.
        Lines of a template that was later merged into a more general one are counted for its successor.
        """
        ...

    def log_totals(self, *, since: float, until: float) -> LogLevels:
        """Return the number of lines of each series, summed over the fine buckets of the time range."""
        ...

    def log_hours(self, starts: Sequence[float]) -> Sequence[LogLevels]:
        """Return, for each hour that starts at one of `starts`, the lines of each series per LOG_WINDOW_SECONDS."""
        ...

    def template_state(self, service: str) -> bytes | None:
        """Return the state of a service's template miner, as detection.logs.miner_state encodes it, or None."""
        ...

    def heard_since(self) -> Mapping[str, float]:
        """Return the time of the first known log line of each service."""
        ...

    def recent_events(self, *, event: str | None = None, limit: int = 100, offset: int = 0) -> Sequence[Event]:
        """Return events in the hot store, newest first."""
        ...

    def event_types(self, *, limit: int = 1000) -> Sequence[EventType]:
        """Return the event names in the hot store, most frequent first."""
        ...

    def metric_samples(
        self, service: str, name: str, *, since: float, until: float, limit: int = 1000
    ) -> Sequence[MetricPoint]:
        """Return the points of one metric of one service in the hot store, newest first."""
        ...

    def metric_series(
        self,
        *,
        since: float,
        until: float,
        bucket_seconds: int,
        series: Sequence[tuple[str, str, str]] | None = None,
    ) -> Sequence[MetricSeries]:
        """Return series of custom metrics, by service, name and attributes.

        bucket_seconds: FINE_METRIC_SECONDS (kept for 3 hours) or COARSE_SECONDS (35 days); buckets without points are
        left out. series: only these (service, name, attributes), whose buckets are looked up one by one.
        """
        ...

    def metric_levels(self, *, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        """Return all buckets of custom metrics in brief, ordered by time."""
        ...

    def metric_names(
        self, *, service: str | None = None, name: str | None = None, limit: int = 100, offset: int = 0
    ) -> Sequence[MetricName]:
        """List the known series of custom metrics, by service, name and attributes."""
        ...

    def erase_person(self, user_ids: Sequence[str]) -> Erased:
        """Erase the records of a person known by any of these ids; counts of many people stay."""
        ...

    def expire(self, *, now: float) -> int:
        """Delete what is past its retention and already rolled up; return how many rows."""
        ...
