"""The words everyone uses: telemetry records, series, findings and the states of an incident.

Times are seconds since the Unix epoch, UTC, as floats; durations carry their unit in their name.
"""

from detection.types.findings import Finding, Metric, Subject
from detection.types.funnels import FunnelDefinition, FunnelProgress, FunnelStep
from detection.types.incidents import IncidentStatus, Severity
from detection.types.records import AlertChange, Deploy, Event, LogRecord, MetricKind, MetricPoint, Span, SpanKind
from detection.types.series import (
    DELAY_EDGES_SECONDS,
    DURATION_EDGES_MS,
    QUERY_EDGES,
    EndpointSeries,
    FunnelCells,
    FunnelSeries,
    LogSeries,
    MetricSeries,
)
from detection.types.values import Floats, Integers, JsonValue

__all__ = [
    "DELAY_EDGES_SECONDS",
    "DURATION_EDGES_MS",
    "QUERY_EDGES",
    "AlertChange",
    "Deploy",
    "EndpointSeries",
    "Event",
    "Finding",
    "Floats",
    "FunnelCells",
    "FunnelDefinition",
    "FunnelProgress",
    "FunnelSeries",
    "FunnelStep",
    "IncidentStatus",
    "Integers",
    "JsonValue",
    "LogRecord",
    "LogSeries",
    "Metric",
    "MetricKind",
    "MetricPoint",
    "MetricSeries",
    "Severity",
    "Span",
    "SpanKind",
    "Subject",
]
