"""The shared types: telemetry records, series, findings and the states of an incident.

Times are seconds since the Unix epoch, UTC, as floats. Names of durations include the unit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
TimeSpans: TypeAlias = Sequence[tuple[float, float]]
"""Periods: the (begin, end) of each, in seconds UTC."""


class Severity(StrEnum):
    """The severity of an incident or a pattern: sev1 is the worst."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"


class IncidentStatus(StrEnum):
    """The status of an incident."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    MITIGATING = "mitigating"
    RESOLVED = "resolved"
    FALSE_ALARM = "false_alarm"


class Metric(StrEnum):
    """The metric that a finding measured and that a verification measures again."""

    CONVERSION_RATE = "conversion_rate"
    LATENCY_P95 = "latency_p95_ms"
    QUERY_COUNT = "query_count"
    ERROR_RATE = "error_rate"
    REQUEST_RATE = "request_rate"
    ALERT = "alert"
    CUSTOM = "custom_metric"
    LOG_RATE = "log_rate"


class SpanKind(StrEnum):
    """The kind of a span; `database` is a client span that carries a statement."""

    SERVER = "server"
    DATABASE = "database"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """A raw product event: `user_id` did `event` at `happened_at`. `event_id` is set by the sender or at the door."""

    event_id: str
    event: str
    user_id: str
    happened_at: float
    properties: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Span:
    """One timed operation. `endpoint` is "POST /checkout" on server spans; `statement` is SQL on database spans."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    kind: SpanKind
    name: str
    service: str
    version: str | None
    started_at: float
    duration_ms: float
    is_error: bool
    endpoint: str | None = None
    status_code: int | None = None
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One log line of a service."""

    record_id: str
    service: str
    version: str | None
    happened_at: float
    severity: str
    body: str
    trace_id: str | None = None
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A named step of a funnel: an event with the name `event` and all of `properties`."""

    name: str
    event: str
    properties: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunnelDefinition:
    """A funnel: ordered steps within `window_seconds` (including its end) of the first.

    value_per_conversion is in `currency`, an ISO 4217 code; both are None if not configured.
    """

    funnel_id: int
    name: str
    steps: tuple[FunnelStep, ...]
    window_seconds: float
    baseline_days: int
    value_per_conversion: float | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class FunnelProgress:
    """One user's attempt that began at `entered_at`: `reached_at[i]` is when step i was reached, step 0 first.

    len(reached_at) is the level, from 1 to the number of steps.
    """

    user_id: str
    entered_at: float
    reached_at: tuple[float, ...]
    dimensions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FunnelSeries:
    """Rolled-up funnel cohorts by the time of entry, for one segment (`dimension` None is the whole funnel).

    bucket_starts: (n,) seconds. entries: (n,). reached: (n, steps) users who reached at least that step.
    converted_by_delay: (n, len(DELAY_EDGES_SECONDS) + 1) users who converted, by the time they took.
    """

    funnel_id: int
    dimension: str | None
    value: str | None
    bucket_starts: Floats
    entries: Integers
    reached: Integers
    converted_by_delay: Integers

    def only(self, buckets: slice | NDArray[np.bool_]) -> FunnelSeries:
        """Return the series restricted to these buckets."""
        return replace(
            self,
            bucket_starts=self.bucket_starts[buckets],
            entries=self.entries[buckets],
            reached=self.reached[buckets],
            converted_by_delay=self.converted_by_delay[buckets],
        )


@dataclass(frozen=True, slots=True)
class FunnelCells:
    """Rolled-up funnel cohorts by the full combination of dimension values, summed over a period of entry times.

    combinations: (cells,) distinct {dimension: value}, without dimensions that an entry did not have. entries:
    (cells,), 1 or more. converted_by_delay: (cells, len(DELAY_EDGES_SECONDS) + 1), as in FunnelSeries.
    """

    funnel_id: int
    combinations: tuple[Mapping[str, str], ...]
    entries: Integers
    converted_by_delay: Integers


@dataclass(frozen=True, slots=True)
class EndpointSeries:
    """Rolled-up requests of one endpoint of one service, by their start time.

    bucket_starts: (n,) seconds. request_count, error_count, query_sum: (n,).
    duration_histogram: (n, len(DURATION_EDGES_MS) + 1); query_histogram: (n, len(QUERY_EDGES) + 1).
    """

    service: str
    endpoint: str
    bucket_starts: Floats
    request_count: Integers
    error_count: Integers
    query_sum: Integers
    duration_histogram: Integers
    query_histogram: Integers


DELAY_EDGES_SECONDS: Floats = np.round(np.geomspace(1.0, 86_400.0, 48), 3)
"""Upper edges (inclusive) of the time-to-convert buckets; one more bucket holds the rest."""

DURATION_EDGES_MS: Floats = np.round(np.geomspace(0.5, 120_000.0, 130), 4)
"""Upper edges (inclusive) of the latency buckets, each 10 % above the last; one more bucket holds the rest."""

QUERY_EDGES: Floats = np.unique(np.concatenate([np.arange(0, 21), np.round(np.geomspace(22, 10_000, 50))])).astype(
    np.float64
)
"""Upper edges (inclusive) of the queries-per-request buckets; one more bucket holds the rest."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a finding: a funnel (`funnel_id`), an endpoint, a metric, a log series or an alert.

    `dimension` and `value` name a segment of it, if any.
    """

    kind: str
    name: str
    service: str | None = None
    endpoint: str | None = None
    funnel_id: int | None = None
    dimension: str | None = None
    value: str | None = None

    def key(self) -> str:
        """Return a stable text for fingerprints, such as "endpoint:shop:POST /checkout"."""
        parts = [
            self.kind,
            str(self.funnel_id) if self.funnel_id is not None else (self.service or ""),
        ]
        if self.kind in {"metric", "log_template", "log_pattern", "alert"}:
            parts.append(self.name)
        if self.endpoint:
            parts.append(self.endpoint)
        if self.dimension:
            parts.append(f"{self.dimension}={self.value}")
        return ":".join(parts)


@dataclass(frozen=True, slots=True)
class Finding:
    """One detector's output: `observed` against `expected`, in the metric's own unit.

    expected_low and expected_high bound the baseline; score is in standard deviations; p_value is after
    the correction for the number of tests of the tick. sample_size counts entries or requests.
    """

    detector: str
    metric: Metric
    subject: Subject
    observed: float
    expected: float
    expected_low: float
    expected_high: float
    sample_size: int
    score: float
    p_value: float
    window_start: float
    window_end: float
    onset_at: float
    details: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The same problem seen again has the same fingerprint."""
        return f"{self.metric}:{self.subject.key()}"

    @property
    def ratio(self) -> float:
        """Observed over expected; infinite when nothing was expected."""
        return self.observed / self.expected if self.expected else float("inf")


@dataclass(frozen=True, slots=True)
class Deploy:
    """A deploy: a version of a service that went live at a time, with its commit."""

    deploy_id: int
    service: str
    version: str
    commit_sha: str
    previous_commit_sha: str | None
    repository: str
    deployed_at: float
    deployed_by: str | None = None


class MetricKind(StrEnum):
    """The meaning of a metric point's value: a current level, the change since the last point, or a running total."""

    GAUGE = "gauge"
    DELTA = "delta"
    CUMULATIVE = "cumulative"


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One measured value of a custom metric. A point sent again has the same `point_id`."""

    point_id: str
    name: str
    service: str
    happened_at: float
    value: float
    kind: MetricKind = MetricKind.GAUGE
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertChange:
    """A message from an external monitor that one of its alerts fires or has ended.

    identity: the same for every firing of the alert. severity: the sender's own word, None if it sends none.
    happened_at: when the alert began or ended. quiet_after_seconds: an alert counts as over after this long without a
    message about it, because some senders never report the end. values: numbers sent with the alert, by name.
    together: the same text for all alerts that the sender put into one notification.
    """

    identity: str
    source: str
    name: str
    service: str | None
    severity: str | None
    is_firing: bool
    happened_at: float
    summary: str = ""
    url: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    quiet_after_seconds: float = 7 * 86_400.0
    together: str | None = None


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """A custom metric of one service, rolled up: the mean and the number of its points in each bucket.

    bucket_starts: (n,) seconds, oldest first. means: (n,) in the metric's own unit. counts: (n,), 1 or more.
    attributes: identify the series of the metric, such as "device=sda1, state=used"; "" without attributes. is_rate:
    whether the values are the increase of a counter per second. lows, highs: (n,) the smallest and the largest point of
    each bucket, if known.
    """

    name: str
    service: str
    bucket_starts: Floats
    means: Floats
    counts: Integers
    attributes: str = ""
    is_rate: bool = False
    lows: Floats | None = None
    highs: Floats | None = None


@dataclass(frozen=True, slots=True)
class LogSeries:
    """Rolled-up log lines of one service with one template (`kind` "log_template") or matching one named pattern.

    name: the template's id or the pattern's name. text: the template, or the pattern's meaning. severity: the worst of
    its lines. bucket_starts: (n,) seconds, ascending. line_count: (n,); missing buckets had no lines. sample: one of
    the lines, or "" if none may be shown.
    """

    kind: str
    name: str
    service: str
    text: str
    severity: str
    bucket_starts: Floats
    line_count: Integers
    sample: str = ""
