"""Run the endpoint detector at its real tick for hours, as the worker does: in full only on suspects of the screening.

The unit tests of the screening prove that it drops no endpoint that the detector would find.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import numpy as np

from detection.endpoints.findings import endpoint_findings, last_interval_end, strike_window_start
from detection.endpoints.intervals import Intervals, gathered_intervals
from detection.endpoints.normal import settled_hours
from detection.endpoints.screening import Brief, hours_in_brief, in_brief, worth_a_look
from detection.options import EndpointOptions
from detection.types import EndpointSeries, Finding, Floats
from tests.benchmarks.noisy_endpoints import HOUR_SECONDS, part

QUIET_SECONDS = 600.0
"""Alarms closer together than this are one."""

Hours = Callable[[float], Sequence[EndpointSeries]]
"""Return the hourly buckets of all endpoints that began before a time in seconds UTC."""


def ticks(
    fine: Sequence[EndpointSeries], hours: Hours, *, nows: Floats, options: EndpointOptions
) -> Iterator[tuple[int, float, Finding]]:
    """Yield (row, now, finding) of all endpoints at every tick; `fine` begins an hour before the first tick."""
    whole = in_brief(_intervals(fine, nows, options))
    for _, same_hour in groupby(nows.tolist(), key=lambda now: last_interval_end(now, options) // HOUR_SECONDS):
        coarse, past = None, None
        for now in same_hour:
            until = last_interval_end(now, options)
            if coarse is None or past is None:
                coarse = hours(until)
                past = hours_in_brief(coarse, until, options)
            settled = settled_hours(past.starts, until - options.recent_window_seconds, ())[None]
            last = _columns(whole, strike_window_start(until, options), until)
            for row in np.flatnonzero(worth_a_look(last, past, settled, at=until, options=options)).tolist():
                recent = [part(fine[row], until - HOUR_SECONDS, until)]
                for finding in endpoint_findings(recent, [coarse[row]], now=now, options=options):
                    yield row, now, finding


def episodes(found: Sequence[tuple[int, float, Finding]]) -> int:
    """Count the alarms of these findings, by endpoint and metric."""
    times: dict[tuple[int, str], list[float]] = {}
    for row, now, finding in found:
        times.setdefault((row, finding.metric), []).append(now)
    return sum(int((np.diff(one, prepend=-np.inf) > QUIET_SECONDS).sum()) for one in times.values())


def _intervals(fine: Sequence[EndpointSeries], nows: Floats, options: EndpointOptions) -> Intervals:
    since = strike_window_start(last_interval_end(float(nows[0]), options), options)
    until = last_interval_end(float(nows[-1]), options)
    return gathered_intervals(fine, since=since, until=until, interval_seconds=options.interval_seconds)


def _columns(whole: Brief, since: float, until: float) -> Brief:
    first, last = np.searchsorted(whole.starts, [since - 1e-6, until - 1e-6])
    columns = slice(int(first), int(last))
    return Brief(
        whole.starts[columns],
        whole.requests[:, columns],
        whole.errors[:, columns],
        whole.queries[:, columns],
        whole.p95_bucket[:, columns],
    )
