"""Remove periods in which something was known to be broken from a history, so that they never count as normal."""

from __future__ import annotations

import numpy as np

from detection.funnels.normal import USABLE_SECONDS
from detection.statistics.baselines import HOUR_SECONDS, Mask
from detection.types import Floats, FunnelSeries, TimeSpans


def outside(hours: Floats, times: TimeSpans) -> Mask:
    """Return which hours, given by their starts, overlap none of the periods, (hours,).

    All hours are kept when the rest would be too short for a baseline: a funnel that has been broken for a week in an
    incident that nobody closed is better judged against itself than not at all.
    """
    kept = np.ones(len(hours), dtype=bool)
    for began, ended in times:
        kept &= (hours + HOUR_SECONDS <= began) | (hours >= ended)
    if kept.sum() * HOUR_SECONDS < USABLE_SECONDS:
        return np.ones(len(hours), dtype=bool)
    return kept


def undisturbed(series: FunnelSeries, times: TimeSpans) -> FunnelSeries:
    """Return the hourly series without the hours that overlap any of the periods, as `outside` decides."""
    kept = outside(series.bucket_starts, times)
    return series if kept.all() else series.only(kept)
