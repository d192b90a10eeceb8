"""The interface of a telemetry store, embedded or distributed: one module for each kind of signal."""

from storage.telemetry.protocol.appending import Appended
from storage.telemetry.protocol.endpoints import (
    EndpointCount,
    EndpointLevels,
    EndpointTotals,
    RequestSample,
    StatementCount,
)
from storage.telemetry.protocol.funnels import EventType, FunnelLevels, FunnelReader
from storage.telemetry.protocol.logs import LOG_OTHER, LOG_PATTERN, LOG_SEVERITY, LOG_TEMPLATE, LogLevels, LogName
from storage.telemetry.protocol.metrics import KeepsMetricMemories, MetricLevels, MetricName
from storage.telemetry.protocol.resolutions import (
    COARSE_SECONDS,
    FINE_CELL_SECONDS,
    FINE_ENDPOINT_SECONDS,
    FINE_FUNNEL_SECONDS,
    FINE_LOG_SECONDS,
    FINE_METRIC_SECONDS,
    LOG_WINDOW_SECONDS,
    METRIC_MINUTES_KEPT_SECONDS,
)
from storage.telemetry.protocol.rolling_up import HighWater, RolledUp, WholeUntil
from storage.telemetry.protocol.store import Erased, TelemetryStore
from storage.telemetry.protocol.traced import Traced, TracedLine, TracedSpan

__all__ = [
    "COARSE_SECONDS",
    "FINE_CELL_SECONDS",
    "FINE_ENDPOINT_SECONDS",
    "FINE_FUNNEL_SECONDS",
    "FINE_LOG_SECONDS",
    "FINE_METRIC_SECONDS",
    "LOG_OTHER",
    "LOG_PATTERN",
    "LOG_SEVERITY",
    "LOG_TEMPLATE",
    "LOG_WINDOW_SECONDS",
    "METRIC_MINUTES_KEPT_SECONDS",
    "Appended",
    "EndpointCount",
    "EndpointLevels",
    "EndpointTotals",
    "Erased",
    "EventType",
    "FunnelLevels",
    "FunnelReader",
    "HighWater",
    "KeepsMetricMemories",
    "LogLevels",
    "LogName",
    "MetricLevels",
    "MetricName",
    "RequestSample",
    "RolledUp",
    "StatementCount",
    "TelemetryStore",
    "Traced",
    "TracedLine",
    "TracedSpan",
    "WholeUntil",
]
