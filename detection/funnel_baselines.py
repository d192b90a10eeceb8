"""What is normal for a funnel and its segments at this hour of the week."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.baselines import HOUR_SECONDS, RateBaseline, hours_of_week, rate_baseline
from detection.cohorts import gathered
from detection.types import FunnelSeries

_USABLE_SECONDS = 24 * HOUR_SECONDS


def normal_conversion(
    past: Sequence[FunnelSeries], horizon_seconds: float, *, since: float, until: float, at: float, timezone: str
) -> RateBaseline:
    """Fit the share of entries that convert within the horizon, at time `at`, from the whole hours in [since, until).

    past: coarse series; the baseline's rows are in their order. timezone: an IANA name.
    """
    hours = gathered(past, horizon_seconds, since=since, until=until, bucket_seconds=HOUR_SECONDS)
    weekly = hours_of_week(np.append(hours.bucket_starts, at), timezone)
    return rate_baseline(hours.converted, hours.entries, weekly[:-1], int(weekly[-1]))


def is_usable(past: FunnelSeries, *, since: float, until: float, minimum_entries: int) -> bool:
    """Whether the whole hours in [since, until) span a day and hold enough entries to say what is normal."""
    inside = (past.bucket_starts >= since) & (past.bucket_starts + HOUR_SECONDS <= until)
    hours = past.bucket_starts[inside]
    spans = hours.size > 0 and hours.max() + HOUR_SECONDS - hours.min() >= _USABLE_SECONDS
    return bool(spans and past.entries[inside].sum() >= minimum_entries)
