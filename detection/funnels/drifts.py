"""Slow drift of a conversion rate, down or up, that no single half hour shows: CUSUM over the hours (Page 1954).

Each hour adds the log-likelihood ratio of a rate that has changed by a tenth over the rate usual at that hour of the
week; what speaks against a change is forgotten once it has brought the sum to zero. Crossing a threshold of log(a) has
an average run length of at least a hours between false alarms (Lorden 1971), whatever the rate and the traffic.
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
    """What drift is looked for. smallest_change is relative; the hours before the watched ones say what is usual.

    hours_between_false_alarms is per series and direction: the default is a year.
    """

    smallest_change: float = 0.1
    watched_hours: int = 72
    fewest_baseline_hours: int = 72
    fewest_entries: int = 500
    hours_between_false_alarms: float = 8760.0
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Drift:
    """Conversion has crept away from what is usual since `began_at`; observed and expected are over that time.

    score is the sum reached, and threshold what it had to reach, both in units of log-likelihood.
    """

    began_at: float
    observed: float
    expected: float
    entries: int
    score: float
    threshold: float

    @property
    def change(self) -> float:
        """Relative: -0.12 has lost an eighth of the conversions."""
        return self.observed / self.expected - 1


@dataclass(frozen=True, slots=True)
class _Watched:
    """The watched hours, (hours,) each. weight is what one entry is worth, for hours vary beyond the binomial."""

    starts: Floats
    entries: Floats
    converted: Floats
    expected: Floats
    weight: Floats


def conversion_drifts(
    series: FunnelSeries, *, horizon_seconds: float, now: float, options: DriftOptions
) -> list[Drift] | None:
    """Return the drifts under way: none, or one down or one up. None where there is too little to say.

    series: coarse buckets (1 h) over the baseline and the watched hours. Only hours whose entries have all had the
    horizon to convert are looked at.
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
    """Lay the usual rate of its hour of the week beside every watched hour."""
    past_hours, hours = hours_of_week(past.bucket_starts, timezone), hours_of_week(recent.bucket_starts, timezone)
    rate, strength, certainty = np.zeros(len(hours)), np.ones(len(hours)), np.ones(len(hours))
    asked = np.unique(hours).tolist()
    for hour, fit in zip(asked, rate_baselines(past.converted, past.entries, past_hours, asked), strict=True):
        same = hours == hour
        rate[same], strength[same], certainty[same] = fit.rate[0], fit.strength[0], fit.certainty[0]
    entries = recent.entries[0]
    # The baseline's own error is shared by all the hours: together they are worth no more than it is.
    share_of_baseline = certainty / (certainty + np.cumsum(entries[::-1])[::-1])
    weight = share_of_baseline / (1 + np.maximum(entries - 1, 0) / (strength + 1))
    return _Watched(recent.bucket_starts, entries, recent.converted[0], rate, weight)


def _drift(watched: _Watched, factor: float, threshold: float) -> Drift | None:
    """Run the sum over the hours; a drift stands while it is above the threshold at the last one.

    Once as much evidence as it took to find a drift has spoken for the usual rate again, it is over and forgotten.
    """
    other = np.minimum(watched.expected * factor, _LARGEST_RATE)
    failed = watched.entries - watched.converted
    ratio = xlogy(watched.converted, other / watched.expected) + xlogy(failed, (1 - other) / (1 - watched.expected))
    began, score = _page(ratio * watched.weight, threshold)
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


def _page(evidence: Floats, threshold: float) -> tuple[int, float]:
    """Page's sum at the last hour, and the hour at which it last left zero."""
    began, score, highest = 0, 0.0, 0.0
    for hour, gained in enumerate(evidence):
        score += float(gained)
        highest = max(highest, score)
        if score <= 0 or highest - score >= threshold:
            began, score, highest = hour + 1, 0.0, 0.0
    return began, score
