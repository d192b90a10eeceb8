"""Observations as signs: from metrics, log lines, orchestrator events and traces."""

from detection.chain.observed import LineGroup, Sign
from detection.chain.seen.believed import believed_lines
from detection.chain.seen.events import signs_of_events
from detection.chain.seen.lines import signs_of_lines
from detection.chain.seen.metrics import (
    metric_departed_when,
    metric_departure,
    parts_that_differ,
    signs_of_metrics,
)
from detection.chain.seen.traces import signs_of_traces

__all__ = [
    "LineGroup",
    "Sign",
    "believed_lines",
    "metric_departed_when",
    "metric_departure",
    "parts_that_differ",
    "signs_of_events",
    "signs_of_lines",
    "signs_of_metrics",
    "signs_of_traces",
]
