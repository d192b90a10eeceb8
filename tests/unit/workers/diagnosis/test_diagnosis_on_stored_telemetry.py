"""A diagnosis of spans in the real telemetry store gives the same result as one of lists in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from detection.funnels.attempts import attempts
from detection.types import Span, SpanKind
from storage.telemetry.sql import SqlTelemetry
from tests.unit.workers.diagnosis.conftest import Answered, Served, Shop
from workers.diagnosis.pipeline import run

NOW = datetime(2026, 2, 7, 14, 10, tzinfo=UTC)


def spans(number: int, served: Served) -> Iterator[Span]:
    """Yield a server span, and under it a database span for each query."""
    request, trace = served.request, f"{number:032x}"
    root = Span(
        trace_id=trace,
        span_id="0" * 16,
        parent_span_id=None,
        kind=SpanKind.SERVER,
        name=request.endpoint,
        service=served.service,
        version=request.version,
        started_at=request.started_at,
        duration_ms=request.duration_ms,
        is_error=False,
        endpoint=request.endpoint,
        status_code=200,
    )
    yield root
    count = 0
    for statement, runs in served.statements.items():
        for _ in range(runs):
            count += 1
            yield replace(
                root,
                span_id=f"{count:016x}",
                parent_span_id=root.span_id,
                kind=SpanKind.DATABASE,
                name="SELECT",
                endpoint=None,
                status_code=None,
                statement=statement,
            )


def test_an_n_plus_one_deploy_is_found_in_stored_spans(
    engine: Engine, broken_checkout: Shop, checkout_incident: int, answered: Answered
) -> None:
    recent = (NOW - timedelta(minutes=25)).timestamp()
    store = SqlTelemetry(
        engine, funnel_reader=attempts, segment_dimensions=["country"], clock=lambda: NOW.timestamp() - 10
    )
    served = [item for item in broken_checkout.telemetry.served if item.request.started_at >= recent]
    store.append_spans([span for number, item in enumerate(served) for span in spans(number, item)])
    while store.roll_up([], now=NOW.timestamp()).spans:
        pass

    outcome = run(checkout_incident, replace(broken_checkout.sources(), telemetry=store))

    diagnosis = answered(broken_checkout, outcome)
    assert outcome.suspect_commit == "b" * 40
    assert outcome.confidence > 0.9
    silent = [item.data["check"] for item in diagnosis.evidence if item.outcome == "no_data"]
    assert silent == ["segments"]
