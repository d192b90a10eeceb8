"""Make records for a TelemetryStore, and read its rollups back in a short form."""

from __future__ import annotations

from collections.abc import Sequence

from detection.types import DURATION_EDGES_MS, Event, FunnelDefinition, FunnelStep, Span, SpanKind
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS, RolledUp, TelemetryStore

NOW = 1_770_465_600.0  # 2026-02-07 12:00 UTC, the start of a fine and of a coarse bucket
DAY = 86_400.0
STEPS = ("view", "cart", "pay")
FUNNEL = FunnelDefinition(1, "Checkout", tuple(FunnelStep(name, name) for name in STEPS), 600.0, 7)
ENDPOINT = "POST /checkout"


class Clock:
    """A clock that tests set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def make_event(name: str, user: str = "u1", at: float = NOW, event_id: str | None = None, **properties: str) -> Event:
    return Event(event_id or f"{user}:{name}:{at}", name, user, at, properties)


def visit(user: str, at: float, *steps: str, **properties: str) -> list[Event]:
    """Make one event per step, ten seconds apart."""
    return [make_event(step, user, at + 10 * index, **properties) for index, step in enumerate(steps)]


def make_span(
    span_id: str, parent: str | None, kind: SpanKind, trace: str = "t1", at: float = NOW, **more: object
) -> Span:
    values: dict[str, object] = {
        "trace_id": trace,
        "span_id": span_id,
        "parent_span_id": parent,
        "kind": kind,
        "name": "span",
        "service": "shop",
        "version": "1.0",
        "started_at": at,
        "duration_ms": 12.0,
        "is_error": False,
        "endpoint": ENDPOINT if kind == SpanKind.SERVER else None,
    }
    return Span(**(values | more))  # type: ignore[arg-type]


def request_spans(trace: str, at: float, queries: int, **more: object) -> list[Span]:
    """Make a server span, its handler and the handler's database spans, in the order in which exporters send them."""
    statement = "SELECT * FROM items WHERE id = 17"
    database = [
        make_span(f"{trace}-q{index}", f"{trace}-h", SpanKind.DATABASE, trace, at, statement=statement)
        for index in range(queries)
    ]
    handler = make_span(f"{trace}-h", f"{trace}-s", SpanKind.OTHER, trace, at)
    return [*database, handler, make_span(f"{trace}-s", None, SpanKind.SERVER, trace, at, **more)]


def roll_up_all(
    store: TelemetryStore, funnels: Sequence[FunnelDefinition] = (FUNNEL,), now: float = NOW + 5, limit: int = 50_000
) -> None:
    for _ in range(1000):
        if store.roll_up(funnels, now=now, limit=limit) == RolledUp(0, 0):
            return
    raise AssertionError("the roll-up never ends")


def reached_by_bucket(store: TelemetryStore, bucket_seconds: int = FINE_FUNNEL_SECONDS) -> dict[float, tuple[int, ...]]:
    """Return the reached counts of the everyone series, by bucket start."""
    everyone = store.funnel_series(1, since=0.0, until=NOW + DAY, bucket_seconds=bucket_seconds)[0]
    assert everyone.dimension is None
    assert everyone.entries.tolist() == everyone.reached[:, 0].tolist()
    assert everyone.converted_by_delay.sum(axis=1).tolist() == everyone.reached[:, -1].tolist()
    return dict(zip(everyone.bucket_starts.tolist(), map(tuple, everyone.reached.tolist()), strict=True))


def entries_by_segment(store: TelemetryStore) -> dict[tuple[str | None, str | None], int]:
    found = store.funnel_series(1, since=0.0, until=NOW + DAY, bucket_seconds=COARSE_SECONDS)
    return {(series.dimension, series.value): int(series.entries.sum()) for series in found}


def endpoint_totals(store: TelemetryStore, bucket_seconds: int = 10) -> tuple[list[int], list[int]]:
    """Return the request counts and query sums of the only endpoint, by bucket."""
    (series,) = store.endpoint_series(since=0.0, until=NOW + DAY, bucket_seconds=bucket_seconds)
    assert series.duration_histogram.shape == (len(series.bucket_starts), len(DURATION_EDGES_MS) + 1)
    assert series.query_histogram.sum(axis=1).tolist() == series.request_count.tolist()
    return series.request_count.tolist(), series.query_sum.tolist()
