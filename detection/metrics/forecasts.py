"""Findings about custom metrics that will probably reach a limit, and the tests that they no longer will."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from detection.metrics.habits import comes_and_goes
from detection.metrics.recovery import own_series, recovery_of
from detection.metrics.series import MetricOptions, is_fresh, key_of, metric_subject
from detection.recovery import Recovery, RecoveryState, insufficient_data
from detection.statistics.baselines import Mask
from detection.statistics.crossing_forecasts import CrossingForecast, forecast_crossing
from detection.types import Finding, Floats, ForecastDetails, Metric, MetricSeries

FORECAST_DETECTOR = "metric_forecast"

_ROOM = 3.0
"""A limit is out of reach when it is farther away than this many times the range of the past values."""


@dataclass(frozen=True, slots=True)
class MetricLimit:
    """A level that one series of a metric must not reach: a ceiling, or a floor if `above` is false.

    horizon_seconds: how far ahead a crossing is forecast; None means the horizon of the options.
    """

    name: str
    service: str
    threshold: float
    above: bool = True
    attributes: str = ""
    horizon_seconds: float | None = None


def forecast_findings(
    series: Sequence[MetricSeries],
    limits: Sequence[MetricLimit],
    *,
    now: float,
    options: MetricOptions,
    random: np.random.Generator,
    baseline: Sequence[MetricSeries] = (),
) -> list[Finding]:
    """Return findings about metrics that will probably reach a limit within the horizon, with the crossing time.

    series: buckets of any width, over a past about as long as the horizon. baseline: hourly buckets of several days;
    a metric that repeatedly crosses its current level gives no forecast, only a finding once it is at the limit.
    """
    by_key = {key_of(one): one for one in series}
    found = [
        _forecast_finding(one, limit, options, random)
        for limit in limits
        if (one := by_key.get((limit.service, limit.name, limit.attributes))) is not None
        and is_fresh(one, now, options)
    ]
    past = {key_of(one): one for one in baseline}
    return [finding for finding in found if finding is not None and not _is_routine(finding, past, now)]


def _is_routine(finding: Finding, past: Mapping[tuple[str, str, str], MetricSeries], now: float) -> bool:
    details = finding.details
    assert isinstance(details, ForecastDetails)
    known = past.get((finding.subject.service or "", details.metric, details.attributes))
    apart = finding.observed - finding.expected
    is_at_limit = apart >= 0 if details.above else apart <= 0
    return known is not None and not is_at_limit and comes_and_goes(finding.observed, known, now=now)


def limit_forecast(
    series: MetricSeries, limit: MetricLimit, *, options: MetricOptions, random: np.random.Generator
) -> CrossingForecast | None:
    """Forecast when a series will reach its limit; None for insufficient data."""
    return forecast_crossing(
        series.bucket_starts,
        series.means,
        threshold=limit.threshold,
        above=limit.above,
        horizon_seconds=limit.horizon_seconds or options.horizon_seconds,
        random=random,
    )


def is_within_reach(
    lowest: Floats,
    highest: Floats,
    newest: Floats,
    threshold: Floats,
    above: Mask,
) -> Mask:
    """Return whether a limit may be reached soon, (series,): a cheap test, so that few series need a forecast.

    All arguments are (series,). lowest and highest: the range of the metric over a past about as long as the horizon.
    """
    room = np.where(above, threshold - newest, newest - threshold)
    return np.asarray(room <= _ROOM * (highest - lowest))


def limit_recovery(
    finding: Finding,
    series: Sequence[MetricSeries],
    limit: MetricLimit,
    *,
    since: float,
    options: MetricOptions,
    random: np.random.Generator,
) -> Recovery:
    """Forecast again from the buckets since `since`: recovered when the limit is no longer likely to be reached."""
    fine = own_series(finding, series)
    if fine is None:
        return insufficient_data(finding)
    later = fine.bucket_starts >= since
    kept = MetricSeries(fine.name, fine.service, fine.bucket_starts[later], fine.means[later], fine.counts[later])
    forecast = limit_forecast(kept, limit, options=options, random=random)
    after = float(kept.means[-1]) if len(kept.means) else None
    state = RecoveryState.INSUFFICIENT_DATA
    if forecast is not None:
        likely = forecast.probability >= options.minimum_probability
        state = RecoveryState.STILL_BROKEN if likely else RecoveryState.RECOVERED
    return recovery_of(finding, state, after, len(kept.means))


def _forecast_finding(
    series: MetricSeries, limit: MetricLimit, options: MetricOptions, random: np.random.Generator
) -> Finding | None:
    forecast = limit_forecast(series, limit, options=options, random=random)
    if forecast is None or forecast.probability < options.minimum_probability:
        return None
    subject = metric_subject(*key_of(series))
    chance = min(forecast.probability, 1 - 1e-4)
    return Finding(
        detector=FORECAST_DETECTOR,
        metric=Metric.CUSTOM,
        subject=replace(subject, dimension="limit", value=f"{limit.threshold:g}"),
        observed=forecast.level,
        expected=limit.threshold,
        expected_low=min(forecast.level, limit.threshold) if limit.above else limit.threshold,
        expected_high=limit.threshold if limit.above else max(forecast.level, limit.threshold),
        sample_size=int(series.counts.sum()),
        score=float(ndtri(chance)),
        p_value=1 - chance,
        window_start=float(series.bucket_starts[0]),
        window_end=float(series.bucket_starts[-1]),
        onset_at=float(series.bucket_starts[-1]),
        details=ForecastDetails(
            metric=series.name,
            attributes=series.attributes,
            is_rate=series.is_rate,
            limit=limit.threshold,
            above=limit.above,
            horizon_seconds=limit.horizon_seconds,
            crossing_at=forecast.median,
            crossing_earliest=forecast.earliest,
            crossing_latest=forecast.latest,
            probability=forecast.probability,
            slope_per_hour=forecast.slope_per_hour,
        ),
    )
