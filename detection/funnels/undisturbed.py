"""Leaving out of a history the times at which something was known to be broken, so that they never count as normal."""

from __future__ import annotations

import numpy as np

from detection.funnels.normal import USABLE_SECONDS
from detection.statistics.baselines import HOUR_SECONDS, Mask
from detection.types import Floats, FunnelSeries, TimeSpans


def outside(hours: Floats, times: TimeSpans) -> Mask:
    """(hours,): whether the hour that begins there touches none of the times.

    All are kept where the rest would be too short to say what is normal: what has been broken for a week and was never
    closed is better judged against itself than not at all.
    """
    kept = np.ones(len(hours), dtype=bool)
    for began, ended in times:
        kept &= (hours + HOUR_SECONDS <= began) | (hours >= ended)
    if kept.sum() * HOUR_SECONDS < USABLE_SECONDS:
        return np.ones(len(hours), dtype=bool)
    return kept


def undisturbed(series: FunnelSeries, times: TimeSpans) -> FunnelSeries:
    """The hourly series without the hours that touch any of the times."""
    kept = outside(series.bucket_starts, times)
    return series if kept.all() else series.only(kept)
