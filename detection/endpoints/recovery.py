"""Whether an endpoint has recovered: the detector's test, reversed, on the requests since the fix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from detection.endpoints.error_strikes import failure_strikes, is_failing
from detection.endpoints.intervals import Intervals, gathered_intervals, quantile
from detection.endpoints.normal import NormalEndpoint, normal_endpoint
from detection.endpoints.slow_strikes import is_heavier, is_slower, latency_strikes, query_strikes
from detection.endpoints.traffic_recovery import FEWEST_INTERVALS, traffic_recovery
from detection.options import EndpointOptions
from detection.recovery import Recovery, RecoveryState, insufficient_data, regained_share
from detection.silence import is_heard
from detection.statistics.baselines import Mask
from detection.types import EndpointSeries, Finding, Metric, TimeSpans

_BUCKET_SECONDS = 10.0
_FEWEST_REQUESTS = 20


def endpoint_recovery(
    finding: Finding,
    series: Sequence[EndpointSeries],
    baseline: Sequence[EndpointSeries],
    *,
    since: float,
    now: float,
    options: EndpointOptions,
    excluded: TimeSpans = (),
) -> Recovery:
    """Test the metric on the requests at or after `since`: when the fix went live, or it was last seen broken.

    series: fine buckets from the onset to now. baseline: hourly buckets from before the onset. The finding's own
    endpoint is picked out of both. excluded: earlier times in which it was broken, which are no baseline.

    The state is recovered when the metric is back within the change that the detector lets pass and requests still
    come. It is still_broken when the detector would find it again. It is insufficient_data between the two, while
    there are too few requests, and when requests have stopped. A request rate is tested by `traffic_recovery`.
    """
    fine, coarse = _own(finding, series), _own(finding, baseline)
    if coarse is not None and finding.metric is Metric.REQUEST_RATE:
        return traffic_recovery(finding, fine, coarse, since=since, now=now, options=options, excluded=excluded)
    if fine is None or coarse is None:
        return insufficient_data(finding)
    return _recovery(finding, fine, coarse, since, now, options, excluded)


def _own(finding: Finding, series: Sequence[EndpointSeries]) -> EndpointSeries | None:
    wanted = (finding.subject.service, finding.subject.endpoint)
    return next((one for one in series if (one.service, one.endpoint) == wanted), None)


def _recovery(
    finding: Finding,
    fine: EndpointSeries,
    coarse: EndpointSeries,
    since: float,
    now: float,
    options: EndpointOptions,
    excluded: TimeSpans,
) -> Recovery:
    normal = normal_endpoint(coarse, fine, recent_since=finding.onset_at, at=now, options=options, excluded=excluded)
    if normal is None:
        return insufficient_data(finding)
    until = now - options.ingestion_lag_seconds
    intervals = gathered_intervals([fine], since=since, until=until, interval_seconds=options.interval_seconds)
    latest, interval_count = _latest(intervals)
    requests = int(latest.requests[0, 0])
    measured = _MEASURES[finding.metric]
    state = RecoveryState.INSUFFICIENT_DATA
    if interval_count >= FEWEST_INTERVALS and requests >= _FEWEST_REQUESTS:
        if measured.strikes(latest, [normal], options)[0, 0]:
            state = RecoveryState.STILL_BROKEN
        elif not measured.is_worse(latest, [normal], options)[0, 0] and is_heard(
            fine.bucket_starts, fine.request_count, since=since, now=now, bucket_seconds=_BUCKET_SECONDS
        ):
            state = RecoveryState.RECOVERED
    before, low, high = measured.usual(normal)
    after = measured.value(latest) if requests else None
    return Recovery(
        state=state,
        metric=finding.metric,
        before=before,
        during=finding.observed,
        after=after,
        recovered_share=regained_share(before, finding.observed, after),
        sample_size=requests,
        normal_low=low,
        normal_high=high,
    )


@dataclass(frozen=True, slots=True)
class _Measure:
    """How one metric of single requests is measured and tested."""

    value: Callable[[Intervals], float]
    usual: Callable[[NormalEndpoint], tuple[float, float, float]]
    is_worse: Callable[[Intervals, Sequence[NormalEndpoint], EndpointOptions], Mask]
    strikes: Callable[[Intervals, Sequence[NormalEndpoint], EndpointOptions], Mask]


_MEASURES = {
    Metric.LATENCY_P95: _Measure(
        lambda latest: float(quantile(latest.durations[0, 0], 0.95)),
        NormalEndpoint.latency_range,
        is_slower,
        latency_strikes,
    ),
    Metric.QUERY_COUNT: _Measure(
        lambda latest: float(latest.queries[0, 0] / latest.requests[0, 0]),
        NormalEndpoint.query_range,
        is_heavier,
        query_strikes,
    ),
    Metric.ERROR_RATE: _Measure(
        lambda latest: float(latest.errors[0, 0] / latest.requests[0, 0]),
        NormalEndpoint.error_range,
        is_failing,
        failure_strikes,
    ),
}


def _latest(intervals: Intervals) -> tuple[Intervals, int]:
    """Pool the fewest last intervals with enough requests, so that a slow start after the fix does not count for ever.

    Return the pooled interval and the number of intervals in it.
    """
    called = np.flatnonzero(intervals.requests[0])
    running = np.cumsum(intervals.requests[0, called][::-1])
    needed = max(int(np.searchsorted(running, _FEWEST_REQUESTS)) + 1, FEWEST_INTERVALS)
    taken = called[-needed:]
    return intervals.pooled(taken), len(taken)
