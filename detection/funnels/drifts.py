"""Detect a slow drift of a conversion rate, down or up, that no single half hour shows: hourly CUSUM (Page 1954).

Each hour adds the log-likelihood ratio of a rate changed by a tenth against the rate usual at that hour of the week. A
sum at or below zero starts again from zero. With a threshold of log(a) the average run length between false alarms is
at least a hours (Lorden 1971), whatever the rate and the traffic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from detection.funnels.cohorts import Cohorts, gathered
from detection.statistics.baselines import HOUR_SECONDS, hours_of_week, rate_baselines
from detection.types import Floats, FunnelSeries

_LARGEST_RATE = 0.999


@dataclass(frozen=True, slots=True)
class DriftOptions:
    """The settings of the drift detector.

    smallest_change: relative. watched_hours: the last hours that are tested; the hours before them are the baseline.
    hours_between_false_alarms: per series and direction; the default is a year.
    """

    smallest_change: float = 0.1
    watched_hours: int = 72
    fewest_baseline_hours: int = 72
    fewest_entries: int = 500
    hours_between_false_alarms: float = 8760.0
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Drift:
    """A slow change of the conversion rate since `began_at`; observed and expected cover the time since then.

    score: the CUSUM sum reached. threshold: the sum needed. Both are in units of log-likelihood.
    """

    began_at: float
    observed: float
    expected: float
    entries: int
    score: float
    threshold: float

    @property
    def change(self) -> float:
        """The relative change: -0.12 means that 12 % of the conversions are lost."""
        return self.observed / self.expected - 1


@dataclass(frozen=True, slots=True)
class _Watched:
    """The watched hours, (hours,) each. weight: the weight of one entry, reduced for overdispersion of hours."""

    starts: Floats
    entries: Floats
    converted: Floats
    expected: Floats
    weight: Floats


def conversion_drifts(
    series: FunnelSeries, *, horizon_seconds: float, now: float, options: DriftOptions
) -> list[Drift] | None:
    """Return the current drifts of a series, down or up; an empty list if there is none, None for insufficient data.

    series: coarse buckets (1 h) over the baseline and the watched hours. Only hours whose entries have all had the
    horizon to convert are used.
    """
    until = float(np.floor((now - horizon_seconds) / HOUR_SECONDS) * HOUR_SECONDS)
    watched_since = until - options.watched_hours * HOUR_SECONDS
    past = gathered([series], horizon_seconds, since=_first(series), until=watched_since, bucket_seconds=HOUR_SECONDS)
    recent = gathered([series], horizon_seconds, since=watched_since, until=until, bucket_seconds=HOUR_SECONDS)
    known = int((past.entries > 0).sum())
    if known < options.fewest_baseline_hours or recent.entries.sum() < options.fewest_entries:
        return None
    watched = _watched(past, recent, options.timezone)
    threshold = float(np.log(options.hours_between_false_alarms))
    drifts = [
        _drift(watched, factor, threshold) for factor in (1 - options.smallest_change, 1 + options.smallest_change)
    ]
    return [drift for drift in drifts if drift is not None]


def _first(series: FunnelSeries) -> float:
    return float(series.bucket_starts.min()) if series.bucket_starts.size else 0.0


def _watched(past: Cohorts, recent: Cohorts, timezone: str) -> _Watched:
    """Return the watched hours with the usual rate at the hour of the week of each."""
    past_hours, hours = hours_of_week(past.bucket_starts, timezone), hours_of_week(recent.bucket_starts, timezone)
    rate, strength, certainty = np.zeros(len(hours)), np.ones(len(hours)), np.ones(len(hours))
    wanted = np.unique(hours).tolist()
    for hour, fit in zip(wanted, rate_baselines(past.converted, past.entries, past_hours, wanted), strict=True):
        same = hours == hour
        rate[same], strength[same], certainty[same] = fit.rate[0], fit.strength[0], fit.certainty[0]
    entries = recent.entries[0]
    # All hours share the error of the baseline: together they cannot carry more evidence than the baseline does.
    share_of_baseline = certainty / (certainty + np.cumsum(entries[::-1])[::-1])
    weight = share_of_baseline / (1 + np.maximum(entries - 1, 0) / (strength + 1))
    return _Watched(recent.bucket_starts, entries, recent.converted[0], rate, weight)


def _drift(watched: _Watched, factor: float, threshold: float) -> Drift | None:
    """Run the CUSUM over the hours; return a drift if the sum is at or above the threshold at the last hour.

    A drift is over once the sum has fallen by the threshold from its highest value; the sum then starts again.
    """
    other = np.minimum(watched.expected * factor, _LARGEST_RATE)
    failed = watched.entries - watched.converted
    ratio = xlogy(watched.converted, other / watched.expected) + xlogy(failed, (1 - other) / (1 - watched.expected))
    began, score = _cusum(ratio * watched.weight, threshold)
    if score < threshold:
        return None
    entries = float(watched.entries[began:].sum())
    usual = float((watched.entries * watched.expected)[began:].sum())
    return Drift(
        began_at=float(watched.starts[began]),
        observed=float(watched.converted[began:].sum()) / entries,
        expected=usual / entries,
        entries=int(entries),
        score=score,
        threshold=threshold,
    )


def _cusum(evidence: Floats, threshold: float) -> tuple[int, float]:
    """Return the hour at which the CUSUM last left zero, and its value at the last hour."""
    began, score, highest = 0, 0.0, 0.0
    for hour, increment in enumerate(evidence):
        score += float(increment)
        highest = max(highest, score)
        if score <= 0 or highest - score >= threshold:
            began, score, highest = hour + 1, 0.0, 0.0
    return began, score
