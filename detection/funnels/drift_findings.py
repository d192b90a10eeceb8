"""Findings about slow drifts of a funnel's conversion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detection.funnels.cohorts import horizon, totals
from detection.funnels.drifts import Drift, DriftOptions, conversion_drifts
from detection.funnels.rise_meaning import read_rise
from detection.funnels.segment_shares import Window, segment_contributions, segment_loss
from detection.statistics.baselines import HOUR_SECONDS
from detection.statistics.proportions import wilson_interval
from detection.types import Finding, FunnelDefinition, FunnelDriftDetails, FunnelSeries, Metric, SegmentLoss, Subject

DETECTOR = "funnel_conversion_drift"
DOWN, UP = "funnel_drift", "funnel_drift_up"


def drift_findings(
    series: Sequence[FunnelSeries], funnel: FunnelDefinition, *, now: float, options: DriftOptions
) -> list[Finding]:
    """Return the current drifts of the whole funnel's conversion, as found by `conversion_drifts`.

    series: hourly, the whole funnel and its segments. The subject is a "funnel_drift" or a "funnel_drift_up", so that a
    drift never has the fingerprint of a drop. score: the square root of twice the log-likelihood ratio. p_value: the
    probability of such a sum per hour. `read_rise` adds its details to an upward drift.
    """
    everyone = next((one for one in series if one.dimension is None), None)
    if everyone is None or not everyone.bucket_starts.size:
        return []
    waited = horizon(everyone, funnel.window_seconds, until=now)
    drifts = conversion_drifts(everyone, horizon_seconds=waited, now=now, options=options)
    found = [_finding(drift, everyone, series, funnel, waited, now) for drift in drifts or ()]
    return [
        read_rise(finding, everyone, timezone=options.timezone) if finding.subject.kind == UP else finding
        for finding in found
    ]


def _finding(
    drift: Drift,
    everyone: FunnelSeries,
    series: Sequence[FunnelSeries],
    funnel: FunnelDefinition,
    horizon_seconds: float,
    now: float,
) -> Finding:
    until = float(np.floor((now - horizon_seconds) / HOUR_SECONDS) * HOUR_SECONDS)
    before, _, _ = totals(everyone, horizon_seconds, since=0.0, until=drift.began_at)
    low, high = wilson_interval(drift.expected * before, before)
    details = FunnelDriftDetails(
        horizon_seconds=horizon_seconds,
        bucket_seconds=HOUR_SECONDS,
        entries=drift.entries,
        converted=round(drift.observed * drift.entries),
        drop_percent=-100 * drift.change,
        hours=round((until - drift.began_at) / HOUR_SECONDS),
        where=_where(drift, series, horizon_seconds, until),
    )
    down = drift.observed < drift.expected
    return Finding(
        detector=DETECTOR,
        metric=Metric.CONVERSION_RATE,
        subject=Subject(DOWN if down else UP, funnel.name, funnel_id=funnel.funnel_id),
        observed=drift.observed,
        expected=drift.expected,
        expected_low=float(low),
        expected_high=float(high),
        sample_size=drift.entries,
        score=float(np.sqrt(2 * drift.score)) * (-1 if down else 1),
        p_value=float(np.exp(-drift.score)),
        window_start=drift.began_at,
        window_end=until,
        onset_at=drift.began_at,
        details=details,
    )


def _where(
    drift: Drift, series: Sequence[FunnelSeries], horizon_seconds: float, until: float
) -> tuple[SegmentLoss, ...]:
    """Return the segments that carry a downward drift."""
    if drift.observed >= drift.expected:
        return ()
    answer = segment_contributions(
        series,
        series,
        recent_window=Window(drift.began_at, until),
        baseline_window=Window(0.0, drift.began_at),
        horizon_seconds=horizon_seconds,
    )
    return tuple(map(segment_loss, answer.standing_out))
