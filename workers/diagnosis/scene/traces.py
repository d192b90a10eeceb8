"""Traces around an incident: the hops of each, with the time that each spent itself, and who calls whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from detection.chain import TraceHop
from detection.types import EdgeKind, ServiceEdge, Span

SPANS = "spans"


def hops_of(traces: Sequence[Sequence[Span]]) -> tuple[tuple[TraceHop, ...], ...]:
    """Return the hops of each trace. A hop's own time is its duration without that of its children."""
    return tuple(tuple(_hops(spans)) for spans in traces)


def _hops(spans: Sequence[Span]) -> Iterable[TraceHop]:
    by_id = {span.span_id: span for span in spans}
    below: dict[str, float] = {}
    for span in spans:
        if span.parent_span_id in by_id and span.parent_span_id is not None:
            below[span.parent_span_id] = below.get(span.parent_span_id, 0.0) + span.duration_ms
    for span in spans:
        parent = by_id.get(span.parent_span_id or "")
        yield TraceHop(
            part=span.service,
            parent_part=parent.service if parent else None,
            started_at=span.started_at,
            duration_ms=span.duration_ms,
            own_ms=max(span.duration_ms - below.get(span.span_id, 0.0), 0.0),
            is_error=span.is_error,
            error_text=span.name if span.is_error else "",
        )


def edges_of(traces: Sequence[Sequence[Span]]) -> tuple[ServiceEdge, ...]:
    """Return who calls whom in these traces."""
    found: dict[tuple[str, str], float] = {}
    for spans in traces:
        services = {span.span_id: span.service for span in spans}
        for span in spans:
            caller = services.get(span.parent_span_id or "")
            if caller is not None and caller != span.service:
                found[caller, span.service] = max(found.get((caller, span.service), 0.0), span.started_at)
    return tuple(ServiceEdge(caller, callee, EdgeKind.CALLS, SPANS, seen) for (caller, callee), seen in found.items())
