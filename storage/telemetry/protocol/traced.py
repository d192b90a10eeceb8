"""The spans of a time and the lines that were logged within them, in brief: what comparing how parts behave needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class TracedSpan(NamedTuple):
    """One span. started_at: seconds UTC."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    service: str
    name: str
    started_at: float
    duration_ms: float


class TracedLine(NamedTuple):
    """One log line of a traced request. happened_at: seconds UTC."""

    trace_id: str
    service: str
    happened_at: float
    severity: str
    body: str


class Traced(NamedTuple):
    """Whole traces, in no order. sampled: the share of the traces of the time that are in it."""

    spans: Sequence[TracedSpan]
    lines: Sequence[TracedLine]
    sampled: float
