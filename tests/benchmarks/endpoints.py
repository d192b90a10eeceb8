"""The endpoint detector on latency that varies by itself: false alarms, and the delay until a doubling is found.

Assumptions: the median latency varies by 15 % (standard deviation of the logarithm) as an AR(1) over intervals of 10 s
with a correlation of 0.8 or 0.95; 10 requests per second vary by 40 % around it; the two days before are alike. The
detector runs at its real tick, every 10 s, with the hour of fine buckets before. Alarms within ten minutes of each
other are one. The delay lasts from the onset, anywhere within an interval, to the tick that finds the shift.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from detection.options import EndpointOptions
from detection.types import Floats
from tests.benchmarks.endpoint_ticks import episodes, ticks
from tests.benchmarks.figures import Figure
from tests.benchmarks.noisy_endpoints import HOUR_SECONDS, INTERVAL_SECONDS, NoisyEndpoint

CORRELATIONS = (0.8, 0.95)
FALSE_ALARMS_AT_MOST, DELAY_AT_MOST = 0.05, 60.0
BATCHES, BATCH_DAYS, SHIFTS = 5, 20, 200
OPTIONS = EndpointOptions()
NOW = 1_770_465_600.0
_BASELINE_HOURS = 48
_DAY = 86_400.0
_PATIENCE_SECONDS = 300.0


def run(data: Path) -> Iterator[Figure]:
    """Yield the false alarms per day and series, and the median delay; the worse of the two correlations counts."""
    alarms = [
        sum(false_alarms(NoisyEndpoint(correlation), BATCH_DAYS, seed) for seed in range(BATCHES))
        for correlation in CORRELATIONS
    ]
    yield Figure(
        "endpoint_false_alarms",
        max(alarms) / (BATCHES * BATCH_DAYS),
        "alarms a day and series",
        "none",
        None,
        at_most=FALSE_ALARMS_AT_MOST,
    )
    delays = [float(np.median(shift_delays(NoisyEndpoint(correlation), SHIFTS))) for correlation in CORRELATIONS]
    yield Figure("endpoint_delay_s", max(delays), "s, median", "none", None, at_most=DELAY_AT_MOST)


def false_alarms(endpoint: NoisyEndpoint, series: int, seed: int) -> int:
    """Count the alarms of `series` healthy endpoints in one day; each tick tests all of them."""
    random = np.random.default_rng([1, seed])
    intervals = int((_DAY + HOUR_SECONDS) / INTERVAL_SECONDS)
    names = [str(number) for number in range(series)]
    levels = endpoint.levels(random, intervals, series=series)
    fine = [
        endpoint.fine(random, row, since=NOW - HOUR_SECONDS, name=name) for name, row in zip(names, levels, strict=True)
    ]
    coarse = [endpoint.coarse(random, _BASELINE_HOURS, until=NOW - HOUR_SECONDS, name=name) for name in names]
    nows = NOW + np.arange(INTERVAL_SECONDS, _DAY, INTERVAL_SECONDS) + OPTIONS.ingestion_lag_seconds
    return episodes(list(ticks(fine, lambda until: coarse, nows=nows, options=OPTIONS)))


def shift_delays(endpoint: NoisyEndpoint, shifts: int, factor: float = 2.0) -> Floats:
    """Return the seconds from each sudden shift to its finding, (shifts,); infinite if not found in five minutes."""
    random = np.random.default_rng(2)
    before, after = int(HOUR_SECONDS / INTERVAL_SECONDS), int(_PATIENCE_SECONDS / INTERVAL_SECONDS)
    levels = endpoint.levels(random, before + after, series=shifts)
    onsets = NOW - random.uniform(0.0, INTERVAL_SECONDS, shifts)
    shifted = [
        endpoint.shifting(random, row, onset=float(onset), factor=factor, since=NOW - HOUR_SECONDS, name=str(number))
        for number, (row, onset) in enumerate(zip(levels, onsets, strict=True))
    ]
    coarse = [
        endpoint.coarse(random, _BASELINE_HOURS, until=NOW - HOUR_SECONDS, name=str(number)) for number in range(shifts)
    ]
    delays = np.full(shifts, np.inf)
    nows = NOW + np.arange(INTERVAL_SECONDS, _PATIENCE_SECONDS, INTERVAL_SECONDS) + OPTIONS.ingestion_lag_seconds
    for row, now, _ in ticks(shifted, lambda until: coarse, nows=nows, options=OPTIONS):
        delays[row] = min(delays[row], now - onsets[row])
    return delays
