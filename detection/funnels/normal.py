"""The baseline of a funnel and its segments at an hour of the week."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.funnels.cohorts import Cohorts, gathered, gathered_steps
from detection.statistics.baselines import HOUR_SECONDS, RateBaseline, hours_of_week, rate_baseline
from detection.types import FunnelSeries

USABLE_SECONDS = 24 * HOUR_SECONDS
"""The shortest history for a baseline."""


def baseline_since(at: float, hours: float) -> float:
    """Return the start of the first hour of a baseline of `hours` hours for time `at`.

    It is one hour longer, so that it includes the same hour of last week across a clock change.
    """
    return (at // HOUR_SECONDS - 1 - hours) * HOUR_SECONDS


def normal_conversion(
    past: Sequence[FunnelSeries], horizon_seconds: float, *, since: float, until: float, at: float, timezone: str
) -> RateBaseline:
    """Fit the share of entries that convert within the horizon, at time `at`, from the whole hours in [since, until).

    past: coarse series; the rows of the baseline have the same order. timezone: an IANA name.
    """
    hours = gathered(past, horizon_seconds, since=since, until=until, bucket_seconds=HOUR_SECONDS)
    return _fitted(hours, at, timezone)


def normal_steps(
    past: Sequence[FunnelSeries], horizon_seconds: float, *, since: float, until: float, at: float, timezone: str
) -> list[RateBaseline]:
    """Fit, as `normal_conversion`, each step after the first: the share of those at the step before who reach it."""
    hours = gathered_steps(past, horizon_seconds, since=since, until=until, bucket_seconds=HOUR_SECONDS)
    return [_fitted(step, at, timezone) for step in hours]


def _fitted(hours: Cohorts, at: float, timezone: str) -> RateBaseline:
    weekly = hours_of_week(np.append(hours.bucket_starts, at), timezone)
    return rate_baseline(hours.converted, hours.entries, weekly[:-1], int(weekly[-1]))


def is_usable(past: FunnelSeries, *, since: float, until: float, minimum_entries: int) -> bool:
    """Whether the whole hours in [since, until) span a day and hold enough entries for a baseline."""
    entries, seconds = history(past, since=since, until=until)
    return seconds >= USABLE_SECONDS and entries >= minimum_entries


def history(past: FunnelSeries, *, since: float, until: float) -> tuple[int, float]:
    """Return the entries in the whole hours in [since, until), and the seconds that these hours span."""
    inside = (past.bucket_starts >= since) & (past.bucket_starts + HOUR_SECONDS <= until)
    hours = past.bucket_starts[inside]
    spanned = float(hours.max() + HOUR_SECONDS - hours.min()) if hours.size else 0.0
    return int(past.entries[inside].sum()), spanned
