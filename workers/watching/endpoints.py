"""The watch of endpoints: latency, queries per request, error rate and request rate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from detection.coverage import Watched
from detection.endpoints.coverage import endpoint_states, strike_window_seconds
from detection.endpoints.findings import endpoint_findings, last_interval_end
from detection.endpoints.intervals import quantile
from detection.endpoints.normal import baseline_since
from detection.endpoints.recovery import endpoint_recovery
from detection.options import EndpointOptions
from detection.recovery import Recovery
from detection.types import EndpointSeries, Finding, Metric, Subject, TimeSpans
from integrations.charts import Point
from storage.database.reading import together_or_each
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS
from workers.memory.broken_times import PastIncident, endpoint_broken_times, past_incidents
from workers.memory.endpoints import METRICS
from workers.options import endpoint_options
from workers.services import Services
from workers.watching.watch import Tick, Watch

SUSPECTS_AT_ONCE = 200
"""Endpoints read at once: a week of one endpoint's histograms is 270 kB."""

STEP_SECONDS = 20.0
"""The time that one point of a chart stands for."""

FEWEST_REQUESTS = 5
"""Requests needed for a point of a chart; fewer leave a gap."""


def findings(services: Services, tick: Tick) -> list[Finding]:
    """Run the detectors; read in full, SUSPECTS_AT_ONCE at a time, only the endpoints that may be broken."""
    options, until = endpoint_options(services.settings), tick.now.timestamp()
    suspects = services.endpoint_memory.worth_reading(services.telemetry, now=until, options=options, past=tick.past)
    broken = _broken(suspects, tick.past, until)

    def found_in(some: Sequence[tuple[str, str]]) -> list[Finding]:
        return endpoint_findings(
            services.telemetry.endpoint_series(
                since=until - max(options.recent_window_seconds, options.swing_window_seconds),
                until=until,
                bucket_seconds=FINE_ENDPOINT_SECONDS,
                endpoints=some,
            ),
            services.telemetry.endpoint_series(
                since=baseline_since(until, options), until=until, bucket_seconds=COARSE_SECONDS, endpoints=some
            ),
            now=until,
            options=options,
            excluded=broken,
        )

    found: list[Finding] = []
    for start in range(0, len(suspects), SUSPECTS_AT_ONCE):
        found += together_or_each(suspects[start : start + SUSPECTS_AT_ONCE], found_in)
    return [finding for finding in found if not _may_be_under_way(services, finding, until, options)]


def _broken(
    endpoints: Sequence[tuple[str, str]], past: Sequence[PastIncident], now: float
) -> dict[tuple[str, str], TimeSpans]:
    """Return when each of the endpoints was broken, by any metric."""
    times = endpoint_broken_times(past, METRICS, now)
    return {
        (service, endpoint): times[key]
        for service, endpoint in endpoints
        if (key := Subject("endpoint", endpoint, service=service, endpoint=endpoint).key()) in times
    }


def _may_be_under_way(services: Services, finding: Finding, now: float, options: EndpointOptions) -> bool:
    """Whether missing requests may only be late: senders may deliver telemetry with a delay of a minute."""
    if finding.metric is not Metric.REQUEST_RATE or finding.observed > finding.expected:
        return False
    lag = services.telemetry.delivery_lag(*_endpoint(finding), until=finding.onset_at)
    return now - finding.onset_at < lag + options.consecutive_strikes * options.interval_seconds


def points(services: Services, finding: Finding, since: float, until: float) -> tuple[Point, ...]:
    """Return one point per STEP_SECONDS."""
    edges = np.arange(np.floor(since / STEP_SECONDS) * STEP_SECONDS, until, STEP_SECONDS)
    found = services.telemetry.endpoint_series(
        since=since, until=until, bucket_seconds=FINE_ENDPOINT_SECONDS, endpoints=[_endpoint(finding)]
    )
    return tuple(
        Point(float(at) + STEP_SECONDS / 2, _value(series, finding.metric, at, at + STEP_SECONDS))
        for series in found
        for at in edges
    )


def retest(services: Services, finding: Finding, live_at: float, until: float) -> Recovery:
    """Compare the requests from `live_at` to `until` with the baseline before the onset."""
    wanted, options = [_endpoint(finding)], endpoint_options(services.settings)
    past_since = baseline_since(finding.onset_at, options)
    with services.readers() as session:
        past = past_incidents(session, since=datetime.fromtimestamp(past_since, UTC), now=services.clock())
    before = [one for one in past if one.began < finding.onset_at]
    return endpoint_recovery(
        finding,
        services.telemetry.endpoint_series(
            since=finding.onset_at, until=until, bucket_seconds=FINE_ENDPOINT_SECONDS, endpoints=wanted
        ),
        services.telemetry.endpoint_series(
            since=past_since, until=finding.onset_at, bucket_seconds=COARSE_SECONDS, endpoints=wanted
        ),
        since=live_at,
        now=until,
        options=options,
        excluded=_broken(wanted, before, until).get(wanted[0], ()),
    )


def states(services: Services, tick: Tick) -> list[Watched]:
    """Return the state of each endpoint seen in the baseline or the recent window: ok, or insufficient data."""
    options, now = endpoint_options(services.settings), tick.now.timestamp()
    until = last_interval_end(now, options)
    before = services.telemetry.endpoint_counts(
        since=baseline_since(until, options),
        until=until - options.recent_window_seconds,
        bucket_seconds=COARSE_SECONDS,
    )
    lately = services.telemetry.endpoint_counts(
        since=until - strike_window_seconds(options),
        until=until,
        bucket_seconds=FINE_ENDPOINT_SECONDS,
        minimum_requests=options.minimum_requests,
    )
    return endpoint_states(
        {name: count.requests for name, count in before.items()},
        {name: count.buckets for name, count in lately.items()},
        options=options,
    )


def _endpoint(finding: Finding) -> tuple[str, str]:
    return finding.subject.service or "", finding.subject.endpoint or ""


def _value(series: EndpointSeries, metric: Metric, since: float, until: float) -> float | None:
    inside = (series.bucket_starts >= since) & (series.bucket_starts < until)
    requests = int(series.request_count[inside].sum())
    if metric is Metric.REQUEST_RATE:
        return requests * 60 / (until - since)
    if requests < FEWEST_REQUESTS:
        return None
    if metric is Metric.QUERY_COUNT:
        return float(series.query_sum[inside].sum() / requests)
    if metric is Metric.ERROR_RATE:
        return float(series.error_count[inside].sum() / requests)
    return float(quantile(series.duration_histogram[inside].sum(axis=0).astype(np.float64), 0.95))


WATCH = Watch(METRICS, findings, points, retest, states, "spans")
