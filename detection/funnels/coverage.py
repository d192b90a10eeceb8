"""Which funnels and segments have enough data for the conversion detectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.coverage import Need, Watched, watched
from detection.funnels.cohorts import FINE_SECONDS, horizon, totals
from detection.funnels.normal import USABLE_SECONDS, history
from detection.options import FunnelOptions
from detection.statistics.baselines import HOUR_SECONDS
from detection.types import FunnelDefinition, FunnelSeries, Subject


def funnel_states(
    series: Sequence[FunnelSeries],
    baseline: Sequence[FunnelSeries],
    funnel: FunnelDefinition,
    *,
    now: float,
    options: FunnelOptions,
) -> list[Watched]:
    """Return for the whole funnel and for each segment whether its conversion can be judged.

    series, baseline: as for `funnel_findings`. The whole funnel comes first, even without entries.
    """
    fine = {(one.dimension, one.value): one for one in series}
    coarse = {(one.dimension, one.value): one for one in baseline}
    everyone = coarse.get((None, None))
    waited = funnel.window_seconds
    if everyone is not None:
        waited = horizon(everyone, funnel.window_seconds, until=now - options.recent_window_seconds)
    until = float(np.floor((now - waited - options.ingestion_lag_seconds) / FINE_SECONDS) * FINE_SECONDS)
    keys = {(None, None): None, **dict.fromkeys(coarse), **dict.fromkeys(fine)}
    return [
        watched(
            Subject("funnel", funnel.name, funnel_id=funnel.funnel_id, dimension=dimension, value=value),
            _funnel_needs(fine.get((dimension, value)), coarse.get((dimension, value)), now, until, options),
        )
        for dimension, value in keys
    ]


def _funnel_needs(
    fine: FunnelSeries | None, coarse: FunnelSeries | None, now: float, until: float, options: FunnelOptions
) -> list[Need]:
    since = until - options.recent_window_seconds
    recent = totals(fine, 0.0, since=since, until=until)[0] if fine is not None else 0
    past, hours = 0, 0.0
    if coarse is not None:
        began = now - options.baseline_window_hours * HOUR_SECONDS
        past, seconds = history(coarse, since=began, until=since)
        hours = seconds / HOUR_SECONDS
    return [
        Need(recent, options.min_sample_size, "entries", f"in the last {options.recent_window_minutes:g} min"),
        Need(hours, USABLE_SECONDS / HOUR_SECONDS, "hours of history"),
        Need(past, options.min_sample_size, "entries", "in the history"),
    ]
