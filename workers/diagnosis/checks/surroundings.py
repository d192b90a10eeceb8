"""What else changed: the traffic, and the other endpoints of the service. Both speak for or against "unknown"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from detection.types import DURATION_EDGES_MS, EndpointSeries, Integers
from storage.telemetry.protocol import FINE_ENDPOINT_SECONDS, TelemetryStore
from workers.diagnosis import weights
from workers.diagnosis.checks.windows import (
    FEWEST_REQUESTS,
    before_window,
    during_window,
    series_query,
    service_series,
)
from workers.diagnosis.model import UNKNOWN, Characterisation, Evidence, Outcome
from workers.diagnosis.words import counted, number, quoted

TRAFFIC_RISEN_AT = 1.5
SLOWER_AT_LEAST = 2.0


def traffic(described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Whether more requests came than before: load is a cause from outside. None without an endpoint symptom."""
    symptoms = described.endpoint_symptoms()
    if not symptoms:
        return None
    service, endpoint = symptoms[0].service or "", symptoms[0].endpoint or ""
    windows = tuple(
        window.whole_buckets(FINE_ENDPOINT_SECONDS) for window in (before_window(described), during_window(described))
    )
    before, during = (
        _requests(service_series(telemetry, service, window), endpoint) / window.minutes for window in windows
    )
    result, weight, outcome = _judge_traffic(quoted(endpoint, 120), before, during)
    return Evidence(
        check="traffic",
        hypothesis_key=UNKNOWN,
        query=series_query(*windows),
        source="telemetry",
        result=result,
        data={"endpoint": endpoint, "before_per_minute": before, "during_per_minute": during},
        outcome=outcome,
        weight=weight,
    )


def _judge_traffic(endpoint: str, before: float, during: float) -> tuple[str, float, Outcome]:
    if min(before, during) == 0:
        return f"How much traffic {endpoint} had before and during is not known.", 0.0, Outcome.NO_DATA
    figures = f"{endpoint} gets {number(during)} requests a minute, before it was {number(before)}"
    if during >= TRAFFIC_RISEN_AT * before:
        return f"Traffic rose: {figures}.", weights.TRAFFIC_RISEN, Outcome.DATA
    return f"Traffic did not rise: {figures}.", weights.TRAFFIC_UNCHANGED, Outcome.DATA


def _requests(series: Sequence[EndpointSeries], endpoint: str) -> int:
    return sum(int(item.request_count.sum()) for item in series if item.endpoint == endpoint)


def other_endpoints(described: Characterisation, telemetry: TelemetryStore) -> Evidence | None:
    """Whether the service's other endpoints slowed down too, as they do when its machine or database is in trouble."""
    symptoms = described.endpoint_symptoms()
    if not symptoms:
        return None
    service, bad = symptoms[0].service or "", {symptom.endpoint for symptom in symptoms}
    windows = before_window(described), during_window(described)
    was, now = (_p95_by_endpoint(service_series(telemetry, service, window)) for window in windows)
    ratios = {name: now[name] / was[name] for name in sorted((was.keys() & now.keys()) - bad)}
    result, weight, outcome = _judge_others(quoted(service, 60), ratios)
    return Evidence(
        check="other_endpoints",
        hypothesis_key=UNKNOWN,
        query=series_query(*windows),
        source="telemetry",
        result=result,
        data={"p95_ratio": ratios},
        outcome=outcome,
        weight=weight,
    )


def _judge_others(service: str, ratios: Mapping[str, float]) -> tuple[str, float, Outcome]:
    if not ratios:
        return f"No other endpoint of {service} had enough requests to compare.", 0.0, Outcome.NO_DATA
    slower = sum(ratio >= SLOWER_AT_LEAST for ratio in ratios.values())
    if slower > len(ratios) / 2:
        words = f"{service} is slower elsewhere too: {slower} of {counted(len(ratios), 'other endpoint')}."
        return words, weights.OTHER_ENDPOINTS_AFFECTED, Outcome.DATA
    words = f"{len(ratios) - slower} of {counted(len(ratios), 'other endpoint')} of {service} kept their speed."
    return words, weights.OTHER_ENDPOINTS_UNAFFECTED, Outcome.DATA


def _p95_by_endpoint(series: Sequence[EndpointSeries]) -> dict[str, float]:
    """p95 in ms of each endpoint with enough requests: the upper edge of the histogram bucket that it falls in."""
    return {
        item.endpoint: _p95(item.duration_histogram.sum(axis=0))
        for item in series
        if int(item.request_count.sum()) >= FEWEST_REQUESTS
    }


def _p95(histogram: Integers) -> float:
    reached = np.cumsum(histogram)
    bucket = int(np.searchsorted(reached, 0.95 * reached[-1]))
    return float(DURATION_EDGES_MS[min(bucket, len(DURATION_EDGES_MS) - 1)])
