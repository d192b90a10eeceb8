"""The endpoint detector on latency that wanders by itself: false alarms, and the time to see that it doubled.

What is assumed: latency wanders by 15 % (standard deviation of the logarithm) as an AR(1) over intervals of 10 s with
a correlation of 0.8 or 0.95; 10 requests a second spread by 40 % around it; the two days before wandered alike. The
detector itself is asked at its real tick, every 10 s, with the hour of fine buckets before. Alarms within ten minutes
of each other are one. A shift counts from its onset, anywhere within an interval, to the tick that finds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from detection.detectors import EndpointOptions, endpoint_findings
from detection.types import EndpointSeries, Finding, Floats
from tests.benchmarks.figures import Figure
from tests.benchmarks.noisy_endpoints import HOUR_SECONDS, INTERVAL_SECONDS, NoisyEndpoint, part

CORRELATIONS = (0.8, 0.95)
FALSE_ALARMS_AT_MOST, DELAY_AT_MOST = 0.05, 60.0
SERIES_DAYS, SHIFTS = 40, 200
OPTIONS = EndpointOptions()
NOW = 1_770_465_600.0
_BASELINE_HOURS = 48
_DAY = 86_400.0
_QUIET_SECONDS = 600.0
_PATIENCE_SECONDS = 300.0


def run(data: Path) -> Iterator[Figure]:
    """The worse of the two correlations counts: false alarms a day and series, and the median delay."""
    alarms = [false_alarms(NoisyEndpoint(correlation), SERIES_DAYS) for correlation in CORRELATIONS]
    yield Figure(
        "endpoint_false_alarms",
        max(alarms) / SERIES_DAYS,
        "alarms a day and series",
        "none",
        None,
        at_most=FALSE_ALARMS_AT_MOST,
    )
    delays = [float(np.median(shift_delays(NoisyEndpoint(correlation), SHIFTS))) for correlation in CORRELATIONS]
    yield Figure("endpoint_delay_s", max(delays), "s, median", "none", None, at_most=DELAY_AT_MOST)


def false_alarms(endpoint: NoisyEndpoint, series_days: int) -> int:
    """How many alarms as many healthy endpoints raise in one day, each tick judging all of them."""
    random = np.random.default_rng(1)
    intervals = int((_DAY + HOUR_SECONDS) / INTERVAL_SECONDS)
    names = [str(number) for number in range(series_days)]
    levels = endpoint.levels(random, intervals, series=series_days)
    fine = [
        endpoint.fine(random, row, since=NOW - HOUR_SECONDS, name=name) for name, row in zip(names, levels, strict=True)
    ]
    coarse = [endpoint.coarse(random, _BASELINE_HOURS, until=NOW - HOUR_SECONDS, name=name) for name in names]
    found = [
        (finding.subject.endpoint or "", now)
        for now in NOW + np.arange(INTERVAL_SECONDS, _DAY, INTERVAL_SECONDS)
        for finding in _tick(fine, coarse, float(now))
    ]
    return sum(_episodes([now for name, now in found if name == wanted]) for wanted in names)


def shift_delays(endpoint: NoisyEndpoint, shifts: int, factor: float = 2.0) -> Floats:
    """Seconds from a sudden shift of latency to its finding, (shifts,); infinite when not found in five minutes.

    The onset lies anywhere within an interval, which is taken to be still well as a whole: the worse case.
    """
    random = np.random.default_rng(2)
    names = [str(number) for number in range(shifts)]
    before, after = int(HOUR_SECONDS / INTERVAL_SECONDS), int(_PATIENCE_SECONDS / INTERVAL_SECONDS)
    levels = endpoint.levels(random, before + after, series=shifts)
    levels[:, before:] += np.log(factor)
    onsets = NOW - random.uniform(0.0, INTERVAL_SECONDS, shifts)
    shifted = [
        endpoint.fine(random, row, since=NOW - HOUR_SECONDS, name=name) for name, row in zip(names, levels, strict=True)
    ]
    coarse = [endpoint.coarse(random, _BASELINE_HOURS, until=NOW - HOUR_SECONDS, name=name) for name in names]
    delays = np.full(shifts, np.inf)
    for now in NOW + np.arange(INTERVAL_SECONDS, _PATIENCE_SECONDS, INTERVAL_SECONDS) + OPTIONS.ingestion_lag_seconds:
        for finding in _tick(shifted, coarse, float(now)):
            row = int(finding.subject.endpoint or 0)
            delays[row] = min(delays[row], now - onsets[row])
    return delays


def _tick(fine: Sequence[EndpointSeries], coarse: Sequence[EndpointSeries], now: float) -> list[Finding]:
    recent = [part(one, now - HOUR_SECONDS, now - OPTIONS.ingestion_lag_seconds) for one in fine]
    return endpoint_findings(recent, coarse, now=now, options=OPTIONS)


def _episodes(times: Sequence[float]) -> int:
    return int((np.diff(times, prepend=-np.inf) > _QUIET_SECONDS).sum()) if len(times) else 0
