"""False alarms of the watch of custom metrics on series in which nothing happens, and its delay where something does.

Each series stands for a kind of metric: noise, noise with a memory, rhythms of days and weeks, a summer time change,
counts, bursts, batches at night. All are new at first. Each grain is judged through the workers' own memory of metrics,
all series at once. The figure is the worst kind and grain, in alarms a month of one series.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.benchmarks.figures import Figure
from tests.benchmarks.simulated_metrics import KINDS, Simulated, away_points, simulated

GRAINS = ((60, 12.0, 10), (300, 42.0, 10), (3600, 150.0, 20), (86_400, 1_500.0, 20))
"""Seconds between two points, days, and series of each kind."""

MOST_FALSE_ALARMS, MOST_DELAY = 0.3, 6.0
BROKEN_KINDS = ("white", "ar.8", "daily")


def run(data: Path) -> Iterator[Figure]:
    """Yield alarms a month and series, and the median number of points until a doubled level is noticed."""
    worst, delays = 0.0, []
    for step, days, count in GRAINS:
        quiet = {kind: [simulated(kind, step, days, seed) for seed in range(count)] for kind in KINDS}
        alarms = away_points([one for some in quiet.values() for one in some])
        for place, kind in enumerate(KINDS):
            a_month = sum(map(len, alarms[place * count : (place + 1) * count])) / (count * days / 30)
            worst = max(worst, a_month)
            print(f"  {step} s, {kind}: {a_month:.2f} alarms a month", file=sys.stderr)
        delays += _delays(step, days, count)
    yield Figure("metric_false_alarms", worst, "a month and series", "none", None, at_most=MOST_FALSE_ALARMS)
    yield Figure("metric_delay_points", float(np.median(delays)), "points", "none", None, at_most=MOST_DELAY)


def _delays(step: int, days: float, count: int) -> list[float]:
    """Return after how many points each series that doubles at two thirds of its time is noticed."""
    broken: list[Simulated] = []
    for kind in BROKEN_KINDS:
        for seed in range(count):
            one = simulated(kind, step, days, 1000 + seed)
            broken.append(one.doubled_from(2 * len(one.times) // 3))
    found = []
    for one, alarms in zip(broken, away_points(broken), strict=True):
        assert one.broken_from is not None
        later = [place for place in alarms if place >= one.broken_from]
        found.append(float(later[0] - one.broken_from + 1) if later else float("inf"))
    return found
