"""A conversion rate that drops by 30 %, and one that never does: what the funnel detector finds and what it imagines.

What is assumed: entries are Poisson and convert independently at 30 %, day and night alike, within 3 seconds; half an
hour (the detector's longest window) expects 200 conversions; a week of the same lies before. The detector is
`funnel_findings` with its defaults at its real tick of 10 s.

Recall: everyone of a funnel drops at once and for good; it counts when found by the time that 200 expected conversions
have passed. False alarms: a week of a funnel of 100 segments, each of that size, and of a second funnel that is only
as large as one of them, whose everyone could really fall by enough; alarms within half an hour are one.

Most ticks cannot be an alarm. They are passed over where, by a bound that is looser than any that the detector
applies, no window of any series has fallen far enough; all the others are the detector's to judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detection.conversions import window_lengths
from detection.detectors import FunnelOptions, funnel_findings
from detection.proportions import sigma_score
from detection.types import Floats
from tests.benchmarks.figures import Figure
from tests.benchmarks.simulated_funnels import BUCKET_SECONDS, FUNNEL, HOUR_SECONDS, Buckets, added, drawn

OPTIONS = FunnelOptions()
RATE, DROP, EXPECTED_CONVERSIONS = 0.3, 0.3, 200.0
RECALL_AT_LEAST, FALSE_ALARMS_AT_MOST = 0.90, 1.0
TRIALS, SEGMENTS, SEGMENT_WEEKS, SMALL_WEEKS = 400, 100, 2, 20
NOW = 1_770_465_600.0
WEEK = 168 * HOUR_SECONDS
_FAR_ENOUGH = {"everyone": -3.2, "segment": -4.0}
"""In deviations: everyone's p-value must be under 1e-4 (-3.7), a segment's under 1e-4 over the number found."""

_LATE_BUCKETS = 1
"""The last bucket whose entries have had their time to convert ends so many before a tick."""


def run(data: Path) -> Iterator[Figure]:
    """Yield the recall beside that of a single look at the last half hour, and the false alarms a week."""
    found, at_a_glance = recall(TRIALS)
    yield Figure(
        "drop_recall", found, "share of drops", "one look after half an hour", at_a_glance, at_least=RECALL_AT_LEAST
    )
    yield Figure("drop_false_alarms", false_alarms(), "alarms a week", "none", None, at_most=FALSE_ALARMS_AT_MOST)


def recall(trials: int) -> tuple[float, float]:
    """The share of drops found within half an hour of ripe entries, and found at its very end."""
    random = np.random.default_rng(3)
    window = int(OPTIONS.recent_window_seconds / BUCKET_SECONDS)
    before = int(WEEK / BUCKET_SECONDS)
    ticks = NOW + (np.arange(window) + 1 + _LATE_BUCKETS) * BUCKET_SECONDS
    rates = np.where(np.arange(before + window + _LATE_BUCKETS) < before, RATE, RATE * (1 - DROP))
    sooner = at_the_end = 0
    for _ in range(trials):
        one = [drawn(random, since=NOW - WEEK, entries_per_bucket=_per_bucket(), rates=rates)]
        if any(_alarms(one, ticks[-1:])):
            at_the_end += 1
        elif any(_alarms(one, ticks[-2::-1])):
            sooner += 1
    return (sooner + at_the_end) / trials, at_the_end / trials


def false_alarms() -> float:
    """Alarms a week where nothing is wrong: of many segments, and of one funnel as small as a segment."""
    random = np.random.default_rng(4)
    of_segments = sum(_healthy_week(random, SEGMENTS) for _ in range(SEGMENT_WEEKS)) / SEGMENT_WEEKS
    of_everyone = sum(_healthy_week(random, 0) for _ in range(SMALL_WEEKS)) / SMALL_WEEKS
    return of_segments + of_everyone


def _healthy_week(random: np.random.Generator, segments: int) -> int:
    steady = np.full(int(2 * WEEK / BUCKET_SECONDS), RATE)
    parts = [
        drawn(random, since=NOW - WEEK, entries_per_bucket=_per_bucket(), rates=steady) for _ in range(max(segments, 1))
    ]
    everyone = [added(parts), *parts] if segments else parts
    alarms = list(_alarms(everyone, NOW + np.arange(_LATE_BUCKETS, WEEK / BUCKET_SECONDS) * BUCKET_SECONDS))
    return int((np.diff(alarms, prepend=-np.inf) > OPTIONS.recent_window_seconds).sum()) if len(alarms) else 0


def _alarms(everyone_and_segments: Sequence[Buckets], ticks: Floats) -> Iterator[float]:
    """The ticks at which the detector finds something, as they are come upon; the first series is everyone."""
    possible = np.zeros(len(ticks), dtype=bool)
    for number, one in enumerate(everyone_and_segments):
        possible |= _could_alarm(one, ticks, _FAR_ENOUGH["segment" if number else "everyone"])
    hours = [one.hourly() for one in everyone_and_segments]
    for now in ticks[possible]:
        if _asked(everyone_and_segments, hours, float(now)):
            yield float(now)


def _could_alarm(one: Buckets, ticks: Floats, far_enough: float) -> NDArray[np.bool_]:
    """(ticks,) whether any window that may end before the tick has fallen by so many deviations."""
    entries, converted = (np.concatenate([[0], np.cumsum(counts)]) for counts in (one.entries, one.converted))
    tick_bucket = np.rint((ticks - one.since) / one.width).astype(np.int64)
    possible = np.zeros(len(ticks), dtype=bool)
    ends = tick_bucket - _LATE_BUCKETS
    for length in window_lengths(int(OPTIONS.recent_window_seconds / one.width)):
        n, k = entries[ends] - entries[ends - length], converted[ends] - converted[ends - length]
        possible |= sigma_score(k, n, RATE) <= far_enough
    return possible


def _asked(everyone_and_segments: Sequence[Buckets], hours: Sequence[Buckets], now: float) -> bool:
    names = [None, *(str(number) for number in range(1, len(everyone_and_segments)))]
    fine_since = now - 2 * OPTIONS.recent_window_seconds - FUNNEL.window_seconds
    fine = [one.series(fine_since, now, name) for one, name in zip(everyone_and_segments, names, strict=True)]
    coarse = [one.series(now - WEEK, now - HOUR_SECONDS, name) for one, name in zip(hours, names, strict=True)]
    return bool(funnel_findings(fine, coarse, FUNNEL, now=now, options=OPTIONS))


def _per_bucket() -> float:
    return EXPECTED_CONVERSIONS / RATE * BUCKET_SECONDS / OPTIONS.recent_window_seconds
