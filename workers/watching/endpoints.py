"""Endpoints: how slow they are and how many queries a request runs."""

from __future__ import annotations

import numpy as np

from detection.detectors import endpoint_findings
from detection.histograms import quantile
from detection.types import EndpointSeries, Finding, Metric
from detection.verification import Recovery, recovery
from integrations.charts import Point
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS
from workers.options import endpoint_options
from workers.services import Services
from workers.watching.watch import Tick, Watch

SUSPECTS_AT_ONCE = 200
"""A week of one endpoint's histograms is 270 kB."""

STEP_SECONDS = 20.0
"""How long a stretch of time one point of a chart stands for."""

FEWEST_REQUESTS = 5
"""Requests from which a point says something; a stretch with fewer is a gap."""


def findings(services: Services, tick: Tick) -> list[Finding]:
    """Read in full, a few at a time, only who may be broken."""
    options, until = endpoint_options(services.settings), tick.now.timestamp()
    suspects = services.endpoint_memory.worth_reading(services.telemetry, now=until, options=options)
    found: list[Finding] = []
    for start in range(0, len(suspects), SUSPECTS_AT_ONCE):
        some = suspects[start : start + SUSPECTS_AT_ONCE]
        found += endpoint_findings(
            services.telemetry.endpoint_series(
                since=until - max(options.recent_window_seconds, options.swing_window_seconds),
                until=until,
                bucket_seconds=FINE_ENDPOINT_SECONDS,
                endpoints=some,
            ),
            services.telemetry.endpoint_series(
                since=until - options.baseline_window_hours * 3600,
                until=until,
                bucket_seconds=COARSE_SECONDS,
                endpoints=some,
            ),
            now=until,
            options=options,
        )
    return found


def points(services: Services, finding: Finding, since: float, until: float) -> tuple[Point, ...]:
    """One point for each stretch of STEP_SECONDS."""
    edges = np.arange(np.floor(since / STEP_SECONDS) * STEP_SECONDS, until, STEP_SECONDS)
    found = services.telemetry.endpoint_series(
        since=since, until=until, bucket_seconds=FINE_ENDPOINT_SECONDS, endpoints=[_endpoint(finding)]
    )
    return tuple(
        Point(float(at) + STEP_SECONDS / 2, _value(series, finding.metric, at, at + STEP_SECONDS))
        for series in found
        for at in edges
    )


def retest(services: Services, finding: Finding, live_at: float) -> Recovery:
    """Hold the requests since the fix against the week before the onset."""
    now, wanted = services.clock().timestamp(), [_endpoint(finding)]
    baseline_since = finding.onset_at - services.settings.baseline_window_hours * 3600
    return recovery(
        finding,
        services.telemetry.endpoint_series(
            since=finding.onset_at, until=now, bucket_seconds=FINE_ENDPOINT_SECONDS, endpoints=wanted
        ),
        services.telemetry.endpoint_series(
            since=baseline_since, until=finding.onset_at, bucket_seconds=COARSE_SECONDS, endpoints=wanted
        ),
        since=live_at,
        now=now,
        options=endpoint_options(services.settings),
    )


def _endpoint(finding: Finding) -> tuple[str, str]:
    return finding.subject.service or "", finding.subject.endpoint or ""


def _value(series: EndpointSeries, metric: Metric, since: float, until: float) -> float | None:
    inside = (series.bucket_starts >= since) & (series.bucket_starts < until)
    requests = int(series.request_count[inside].sum())
    if requests < FEWEST_REQUESTS:
        return None
    if metric is Metric.QUERY_COUNT:
        return float(series.query_sum[inside].sum() / requests)
    return float(quantile(series.duration_histogram[inside].sum(axis=0).astype(np.float64), 0.95))


WATCH = Watch(frozenset({Metric.LATENCY_P95, Metric.QUERY_COUNT}), findings, points, retest)
