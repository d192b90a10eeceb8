"""A run of strikes of one endpoint: its data, its history, its significance and the finding it makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from detection.endpoints.intervals import Intervals, gathered_intervals, quantile
from detection.endpoints.normal import NormalEndpoint
from detection.endpoints.slow_strikes import slow_requests
from detection.options import EndpointOptions
from detection.statistics.baselines import Mask
from detection.statistics.changepoints import Onset
from detection.statistics.wandering import height_p_value, jump_p_value
from detection.types import EndpointDetails, EndpointSeries, Finding, Floats, Integers, Metric, Subject


@dataclass(frozen=True, slots=True)
class Reading:
    """An endpoint with a run of strikes.

    run: indices into `last` of the intervals of the run. history: the longer window that ends with the run.
    """

    series: EndpointSeries
    normal: NormalEndpoint
    last: Intervals
    run: Integers
    history: Intervals

    @property
    def requests(self) -> float:
        """The number of requests in the run."""
        return self.sum(self.last.requests[0])

    def sum(self, values: Floats) -> float:
        """Return the sum of `values`, (intervals,), over the run."""
        return float(values[self.run].sum())


def take_reading(
    series: EndpointSeries, normal: NormalEndpoint, last: Intervals, row: int, strikes: int, options: EndpointOptions
) -> Reading:
    """Return the run of the last `strikes` intervals with enough requests, for the series in row `row` of `last`."""
    until = float(last.starts[-1]) + last.width
    history = gathered_intervals(
        [series], since=until - options.swing_window_seconds, until=until, interval_seconds=options.interval_seconds
    )
    run = np.flatnonzero(last.requests[row] >= options.minimum_requests)[-strikes:]
    return Reading(series, normal, last.row(row), run, history)


def fluctuation_p_value(levels: Floats, strikes: Mask, usual: float, length: int) -> float:
    """Return the p-value of the current run under the natural fluctuation of its series: the smaller of two tests.

    The tests are the jump and the height test of `detection.statistics.wandering`. levels: (intervals - length + 1,),
    each over `length` intervals; strikes: (intervals,), of the same intervals.
    """
    before, during = split_at_run(levels, strikes, length)
    return min(
        jump_p_value(before, float(during[0]), length),
        height_p_value(before, during, usual, length),
    )


def split_at_run(levels: Floats, strikes: Mask, length: int) -> tuple[Floats, Floats]:
    """Return the levels that lie wholly before the current run of strikes, and those wholly within it."""
    clear = np.flatnonzero(~strikes)
    began = int(clear[-1]) + 1 if len(clear) else 0
    return levels[: max(began - length + 1, 0)], levels[began:]


def rolling_sums(counts: Floats, length: int) -> Floats:
    """Sum counts, (intervals, ...), over each `length` intervals in a row, (intervals - length + 1, ...)."""
    running = np.cumsum(counts, axis=0)
    return np.asarray(running[length - 1 :] - np.concatenate([np.zeros((1, *counts.shape[1:])), running[:-length]]))


def endpoint_finding(
    reading: Reading,
    detector: str,
    metric: Metric,
    *,
    observed: float,
    normal: tuple[float, float, float],
    score: float,
    began: Onset,
) -> Finding:
    """Build the finding of a run; normal is (expected, low, high)."""
    return Finding(
        detector=detector,
        metric=metric,
        subject=subject_of(reading.series),
        observed=observed,
        expected=normal[0],
        expected_low=normal[1],
        expected_high=normal[2],
        sample_size=int(reading.requests),
        score=score,
        p_value=float(ndtr(-score)),
        window_start=float(reading.last.starts[reading.run[0]]),
        window_end=float(reading.last.starts[reading.run[-1]] + reading.last.width),
        onset_at=began.at,
        details=_details(reading, began),
    )


def subject_of(series: EndpointSeries) -> Subject:
    """Return the subject of findings about this endpoint."""
    return Subject("endpoint", series.endpoint, service=series.service, endpoint=series.endpoint)


def _details(reading: Reading, began: Onset) -> EndpointDetails:
    normal, requests = reading.normal, reading.requests
    durations = reading.last.durations[0, reading.run].sum(axis=0)
    p50, p95, p99 = (float(quantile(durations, share)) for share in (0.5, 0.95, 0.99))
    slow = reading.sum(slow_requests(reading.last.durations, np.array([normal.slow_edge]))[0])
    return EndpointDetails(
        onset_low=began.low,
        onset_high=began.high,
        bucket_seconds=reading.last.width,
        strikes=len(reading.run),
        request_count=int(requests),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        slow_share=slow / requests,
        queries_per_request=reading.sum(reading.last.queries[0]) / requests,
        error_rate=reading.sum(reading.last.errors[0]) / requests,
        baseline_requests=normal.requests,
        baseline_p50_ms=normal.p50_ms,
        baseline_p95_ms=normal.p95_ms,
        baseline_p99_ms=normal.p99_ms,
        baseline_queries_per_request=normal.queries,
        baseline_error_rate=normal.error_rate,
    )
