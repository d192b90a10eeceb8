"""Which endpoints are worth fitting a baseline for: a quick look that never turns away one that could strike.

Nearly every endpoint is well at nearly every tick. An hour's fitted level lies between the lowest and the highest of
the past hours, so an endpoint that is not even slow against its quickest hour cannot be slow against this one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.baselines import Mask
from detection.endpoint_baselines import HOUR_ENOUGH, HOURS_ENOUGH
from detection.histograms import Intervals, quantile
from detection.options import EndpointOptions
from detection.regressions import SLOW_SHARE
from detection.types import DURATION_EDGES_MS, EndpointSeries, Floats

_MARGIN = 1.25
"""The last hours lose what the fine series holds before they are fitted, which may make them quicker than they look."""

_HOURS_OF_FINE = 2
"""So many of the past hours may be no more than that."""


def worth_a_look(last: Intervals, coarse: Sequence[EndpointSeries], options: EndpointOptions) -> Mask:
    """(series,): could the last intervals be a run of strikes, of latency or of queries, against any past hour?

    last: the last intervals of the fine series; coarse: the baselines in the same order.
    """
    slowest, heaviest = _least_of_the_run(last, options)
    return np.array(
        [
            not _has_hours(one)
            or _slower_than_an_hour(float(slow), one, options)
            or _heavier_than_an_hour(float(heavy), one, options)
            for one, slow, heavy in zip(coarse, slowest, heaviest, strict=True)
        ],
        dtype=bool,
    )


def _least_of_the_run(last: Intervals, options: EndpointOptions) -> tuple[Floats, Floats]:
    """The lowest p95 and mean queries, (series,), among the last intervals with enough requests; 0.0 if too few."""
    enough = last.requests >= options.minimum_requests
    behind = np.cumsum(enough[:, ::-1], axis=1)[:, ::-1]
    run = enough & (behind <= options.consecutive_strikes)
    whole = run.sum(axis=1) >= options.consecutive_strikes
    p95 = np.where(run, quantile(last.durations, 0.95), np.inf).min(axis=1, initial=np.inf)
    queries = np.where(run, last.queries / np.maximum(last.requests, 1), np.inf).min(axis=1, initial=np.inf)
    return np.where(whole, p95, 0.0), np.where(whole, queries, 0.0)


def _has_hours(coarse: EndpointSeries) -> bool:
    return int((coarse.request_count >= HOUR_ENOUGH).sum()) >= HOURS_ENOUGH + _HOURS_OF_FINE


def _slower_than_an_hour(p95_ms: float, coarse: EndpointSeries, options: EndpointOptions) -> bool:
    """Whether some hour's p95 lies so far below `p95_ms` that it would be a strike."""
    fast = min(p95_ms / options.minimum_latency_ratio, p95_ms - options.minimum_latency_increase_ms) * _MARGIN
    if fast <= 0:
        return False
    bucket = int(np.searchsorted(DURATION_EDGES_MS, fast))
    slower = coarse.duration_histogram[:, bucket + 1 :].sum(axis=1)
    return bool(np.any((slower <= SLOW_SHARE * coarse.request_count) & (coarse.request_count >= HOUR_ENOUGH)))


def _heavier_than_an_hour(queries: float, coarse: EndpointSeries, options: EndpointOptions) -> bool:
    light = min(queries / options.minimum_query_ratio, queries - options.minimum_query_increase) * _MARGIN
    known = coarse.request_count >= HOUR_ENOUGH
    return bool(light >= 0 and np.any(coarse.query_sum[known] <= light * coarse.request_count[known]))
