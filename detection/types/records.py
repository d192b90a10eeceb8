"""What comes in, one by one: events, spans, log records, metric points, alerts and deploys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from detection.types.values import JsonValue


@dataclass(frozen=True, slots=True)
class Event:
    """A raw product fact: `user_id` did `event` at `happened_at`. `event_id` is the sender's, or made at the door."""

    event_id: str
    event: str
    user_id: str
    happened_at: float
    properties: Mapping[str, JsonValue]


class SpanKind(StrEnum):
    """Which side of a call a span saw; `database` is a client span that carries a statement."""

    SERVER = "server"
    DATABASE = "database"
    OTHER = "other"


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
    """One line a service said."""

    record_id: str
    service: str
    version: str | None
    happened_at: float
    severity: str
    body: str
    trace_id: str | None = None
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)


class MetricKind(StrEnum):
    """What a metric point's value counts: a level now, what came since the last point, or all since the start."""

    GAUGE = "gauge"
    DELTA = "delta"
    CUMULATIVE = "cumulative"


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One measured value of a custom metric. `point_id` is the same for the same point sent again."""

    point_id: str
    name: str
    service: str
    happened_at: float
    value: float
    kind: MetricKind = MetricKind.GAUGE
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertChange:
    """What another monitor said of one of its alerts: that it fires, or that it is over.

    identity is the same for every firing of it. severity is the sender's word for how bad it is, None where it has
    none. happened_at: when it began or ended. quiet_after_seconds: an alert whose sender never tells of the end is over
    when so much time has passed without a word of it. values: numbers that came with it, by their names.
    together: what the sender tells in one breath has the same text here.
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
class Deploy:
    """A version of a service going live at a time, with its commit."""

    deploy_id: int
    service: str
    version: str
    commit_sha: str
    previous_commit_sha: str | None
    repository: str
    deployed_at: float
    deployed_by: str | None = None
