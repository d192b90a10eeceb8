"""Findings about custom metrics that left their usual course."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.metrics.course import Reach, points_needed
from detection.metrics.series import key_of, metric_subject
from detection.statistics.changepoints import Onset, mean_onset
from detection.types import Finding, LevelDetails, Metric, MetricSeries

LEVEL_DETECTOR = "metric_level"

_NORMAL_99 = 2.576
"""99 % of a normal distribution lie within this many standard deviations."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A series that is away from its usual course.

    expected: its usual value now. reach: how far from it is usual. surprise: minus log10 of the mean p-value.
    stands_still: whether it is away because it no longer moves. step_seconds: between two of its points. points: how
    many the watch knows. noticed_at: the time of the point at which it was noticed.
    """

    expected: float
    reach: Reach
    surprise: float
    stands_still: bool
    step_seconds: float
    points: int
    noticed_at: float


def level_finding(series: MetricSeries, departure: Departure, *, now: float) -> Finding:
    """Describe a departure by the newest points of the series, which must not be empty.

    series: points in its own grain, from before the onset, up to now.
    """
    needed = int(points_needed(np.array([departure.step_seconds]))[0])
    run, counts = series.means[-needed:], series.counts[-needed:]
    observed = float(np.average(run, weights=counts))
    reach, expected = departure.reach.point, departure.expected
    deviation = max(reach / _NORMAL_99, 1e-12)
    began = _onset(series, departure, observed, deviation)
    return Finding(
        detector=LEVEL_DETECTOR,
        metric=Metric.CUSTOM,
        subject=metric_subject(*key_of(series)),
        observed=observed,
        expected=expected,
        expected_low=expected - reach,
        expected_high=expected + reach,
        sample_size=int(counts.sum()),
        score=abs(observed - expected) / deviation,
        p_value=float(10.0**-departure.surprise),
        window_start=float(series.bucket_starts[-needed:][0]),
        window_end=now,
        onset_at=began.at,
        details=LevelDetails(
            metric=series.name,
            attributes=series.attributes,
            is_rate=series.is_rate,
            onset_low=began.low,
            onset_high=began.high,
            points=departure.points,
            step_seconds=departure.step_seconds,
            mean_reach=departure.reach.mean,
            stands_still=departure.stands_still,
        ),
    )


def _onset(series: MetricSeries, departure: Departure, observed: float, deviation: float) -> Onset:
    starts, means = series.bucket_starts, series.means
    if departure.stands_still:
        changed = np.flatnonzero(np.diff(means) != 0)
        at = float(starts[changed[-1] + 1]) if len(changed) else float(starts[0])
        return Onset(at, at, at)
    recent = starts >= departure.noticed_at - 24 * max(departure.step_seconds, 60.0)
    if int(recent.sum()) < 2:
        at = float(starts[-1])
        return Onset(at, at, at)
    return mean_onset(
        starts[recent],
        means[recent],
        np.ones(int(recent.sum())),
        normal=departure.expected,
        broken=observed,
        deviation=deviation,
    )
