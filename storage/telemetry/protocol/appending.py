"""Appending records, which is durable on return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from detection.types import Event, LogRecord, MetricPoint, Span


@dataclass(frozen=True, slots=True)
class Appended:
    """How many records of an append were new, and how many were duplicates (same sender's id)."""

    accepted: int
    duplicates: int


class Appends(Protocol):
    """Stores what senders post. A record that is stored already is counted, not stored again."""

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
