"""Check what else changed: the traffic and the service's other endpoints, as evidence for or against "unknown"."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import DURATION_EDGES_MS, EndpointSeries, Integers, Metric
from integrations.text import Markup, ours
from storage.telemetry.protocol import FINE_ENDPOINT_SECONDS, TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.checks.windows import (
    FEWEST_REQUESTS,
    before_window,
    during_window,
    requests_in,
    series_query,
    service_series,
)
from workers.diagnosis.model import UNKNOWN, Characterisation, Evidence, Outcome
from workers.words.text import counted, measure, number, quoted

TRAFFIC_RISEN_AT = 1.5
SLOWER_AT_LEAST = 2.0
MORE_ERRORS_AT_LEAST = 0.05


def traffic(described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Check whether traffic rose: load is a cause outside the code. None without an endpoint symptom."""
    symptoms = described.endpoint_symptoms()
    if not symptoms:
        return None
    service, endpoint = symptoms[0].service or "", symptoms[0].endpoint or ""
    windows = tuple(
        window.whole_buckets(FINE_ENDPOINT_SECONDS) for window in (before_window(described), during_window(described))
    )
    before, during = (requests_in(telemetry, service, endpoint, window) / window.minutes for window in windows)
    result, weight, outcome = _judge_traffic(quoted(endpoint, 120), before, during)
    return Evidence(
        check="traffic",
        hypothesis_key=UNKNOWN,
        query=series_query(*windows, endpoint=endpoint),
        source="telemetry",
        result=result,
        data={"endpoint": endpoint, "before_per_minute": before, "during_per_minute": during},
        outcome=outcome,
        weight=weight,
    )


def _judge_traffic(endpoint: str, before: float, during: float) -> tuple[Markup, float, Outcome]:
    if before == 0:
        return ours("How much traffic {endpoint} had before is not known.", endpoint=endpoint), 0.0, Outcome.NO_DATA
    figures = ours(
        "{endpoint} gets {during}, before it was {before}",
        endpoint=endpoint,
        during=measure(Metric.REQUEST_RATE, during),
        before=number(before),
    )
    if during >= TRAFFIC_RISEN_AT * before:
        return ours("Traffic rose: {figures}.", figures=figures), weights.TRAFFIC_RISEN, Outcome.DATA
    if TRAFFIC_RISEN_AT * during <= before:
        return ours("Traffic fell: {figures}.", figures=figures), weights.TRAFFIC_FALLEN, Outcome.DATA
    return ours("Traffic did not rise: {figures}.", figures=figures), weights.TRAFFIC_UNCHANGED, Outcome.DATA


def other_endpoints(described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Check whether the service's other endpoints are affected too, as they are if its host or database has a problem.

    Compare error rates if the worst symptom is an error rate, else p95 latencies. None without an endpoint symptom.
    """
    symptoms = described.endpoint_symptoms()
    if not symptoms:
        return None
    service, bad = symptoms[0].service or "", {symptom.endpoint for symptom in symptoms}
    windows = before_window(described), during_window(described)
    was, now = (_by_endpoint(service_series(telemetry, service, window), bad) for window in windows)
    both = sorted(was.keys() & now.keys())
    failing = symptoms[0].metric is Metric.ERROR_RATE
    if failing:
        suffers = {name: now[name].errors - was[name].errors >= MORE_ERRORS_AT_LEAST for name in both}
        data = {"error_share": {name: now[name].errors for name in both}}
    else:
        suffers = {name: now[name].p95_ms / was[name].p95_ms >= SLOWER_AT_LEAST for name in both}
        data = {"p95_ratio": {name: now[name].p95_ms / was[name].p95_ms for name in both}}
    result, weight, outcome = _judge_others(quoted(service, 60), suffers, failing=failing)
    return Evidence(
        check="other_endpoints",
        hypothesis_key=UNKNOWN,
        query=series_query(*windows),
        source="telemetry",
        result=result,
        data=data,
        outcome=outcome,
        weight=weight,
    )


def _judge_others(service: str, suffers: Mapping[str, bool], *, failing: bool) -> tuple[Markup, float, Outcome]:
    if not suffers:
        return (
            ours("No other endpoint of {service} had enough requests to compare.", service=service),
            0.0,
            Outcome.NO_DATA,
        )
    hurt, others = sum(suffers.values()), counted(len(suffers), "other endpoint")
    if hurt > len(suffers) / 2:
        how = "fails" if failing else "is slower"
        return (
            ours(
                "{service} {how} elsewhere too: {hurt} of {others}.", service=service, how=how, hurt=hurt, others=others
            ),
            weights.OTHER_ENDPOINTS_AFFECTED,
            Outcome.DATA,
        )
    what = "answer as well as before" if failing else "kept their speed"
    words = ours(
        "{hurt} of {others} of {service} {what}.", hurt=len(suffers) - hurt, others=others, service=service, what=what
    )
    return words, weights.OTHER_ENDPOINTS_UNAFFECTED, Outcome.DATA


@dataclass(frozen=True, slots=True)
class _Health:
    """One endpoint's p95 latency in ms and error rate (0 to 1)."""

    p95_ms: float
    errors: float


def _by_endpoint(series: Sequence[EndpointSeries], but: Collection[str | None]) -> dict[str, _Health]:
    """Return the health of each endpoint with enough requests, except those in `but`; p95 is a bucket's upper edge."""
    enough = [(item, int(item.request_count.sum())) for item in series if item.endpoint not in but]
    return {
        item.endpoint: _Health(_p95(item.duration_histogram.sum(axis=0)), float(item.error_count.sum()) / requests)
        for item, requests in enough
        if requests >= FEWEST_REQUESTS
    }


def _p95(histogram: Integers) -> float:
    reached = np.cumsum(histogram)
    bucket = int(np.searchsorted(reached, 0.95 * reached[-1]))
    return float(DURATION_EDGES_MS[min(bucket, len(DURATION_EDGES_MS) - 1)])
