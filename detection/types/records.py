"""Single incoming records: events, spans, log records, metric points, alerts and deploys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from detection.types.values import JsonValue


class AlsoKnownAs(NamedTuple):
    """Another id of the person who did an event, as the event tells it.

    is_merge: whether somebody said that the two ids are one person; otherwise `other_id` is of a device or a visitor,
    which may have served several people.
    """

    other_id: str
    is_merge: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A raw product event: `user_id` did `event` at `happened_at`. `event_id` is set by the sender or at the door."""

    event_id: str
    event: str
    user_id: str
    happened_at: float
    properties: Mapping[str, JsonValue]
    also_known_as: AlsoKnownAs | None = None


class SpanKind(StrEnum):
    """The kind of a span; `database` is a client span that carries a statement."""

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
    """One log line of a service."""

    record_id: str
    service: str
    version: str | None
    happened_at: float
    severity: str
    body: str
    trace_id: str | None = None
    attributes: Mapping[str, JsonValue] = field(default_factory=dict)


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
    together: the same text for all alerts that the sender put into one notification. application: the API key that it
    came with, within which the identity counts; empty for a sender that is known by its signature.
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
    application: str = ""


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
