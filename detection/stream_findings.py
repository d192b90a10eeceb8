"""Findings about custom metrics: away from their usual level at this hour of the week, or on the way to a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from detection.baselines import HOUR_SECONDS, hours_of_week, level_baseline
from detection.changepoints import Onset, mean_onset
from detection.forecasts import CrossingForecast, forecast_crossing
from detection.types import Finding, JsonValue, Metric, MetricSeries, Subject

LEVEL_DETECTOR, FORECAST_DETECTOR = "metric_level", "metric_forecast"


@dataclass(frozen=True, slots=True)
class MetricOptions:
    """When a custom metric counts as broken.

    A bucket strikes when it is `anomaly_threshold` standard deviations and at least `minimum_change` (a share of the
    usual level) away; `consecutive_strikes` buckets on one side are a finding. A forecast is a finding when the limit
    is crossed within the horizon with at least `minimum_probability`.
    """

    anomaly_threshold: float = 4.0
    consecutive_strikes: int = 3
    minimum_change: float = 0.1
    baseline_window_hours: float = 168.0
    minimum_baseline_hours: int = 3
    timezone: str = "UTC"
    recent_window_minutes: float = 30.0
    stale_seconds: float = 600.0
    horizon_seconds: float = 6 * HOUR_SECONDS
    minimum_probability: float = 0.8


@dataclass(frozen=True, slots=True)
class MetricLimit:
    """A level that a metric of a service must not reach: a ceiling, or a floor when not `above`."""

    name: str
    service: str
    threshold: float
    above: bool = True


@dataclass(frozen=True, slots=True)
class _Usual:
    """The level expected now; `deviation` is that of one fine bucket, hours and buckets both in it."""

    level: float
    deviation: float
    hours: int


def metric_findings(
    series: Sequence[MetricSeries], baseline: Sequence[MetricSeries], *, now: float, options: MetricOptions
) -> list[Finding]:
    """Return the metrics that left their usual level for this hour of the week.

    series: fine buckets, of at least the last `recent_window_minutes` and better of three hours, from which the
    scatter of single buckets is learnt; baseline: hourly buckets. A metric with fewer than `minimum_baseline_hours`
    before the recent window is insufficient data, as is one that has not been heard of for `stale_seconds`.
    """
    past = {(one.service, one.name): one for one in baseline}
    pairs = [
        (one, past[one.service, one.name])
        for one in series
        if (one.service, one.name) in past and _is_fresh(one, now, options)
    ]
    usual = _usual_levels(pairs, now, options)
    found = [_level_finding(one, level, now, options) for (one, _), level in zip(pairs, usual, strict=True)]
    return [finding for finding in found if finding is not None]


def forecast_findings(
    series: Sequence[MetricSeries],
    limits: Sequence[MetricLimit],
    *,
    now: float,
    options: MetricOptions,
    random: np.random.Generator,
) -> list[Finding]:
    """Return the metrics that will probably reach a limit within the horizon, with when.

    series: buckets of any width, of about as long a past as the horizon is. details holds crossing_at with
    crossing_earliest and crossing_latest (80 %), in seconds UTC, None for beyond the horizon.
    """
    by_name = {(one.service, one.name): one for one in series}
    found = [
        _forecast_finding(one, limit, options, random)
        for limit in limits
        if (one := by_name.get((limit.service, limit.name))) is not None and _is_fresh(one, now, options)
    ]
    return [finding for finding in found if finding is not None]


def _is_fresh(series: MetricSeries, now: float, options: MetricOptions) -> bool:
    return len(series.bucket_starts) > 0 and now - float(series.bucket_starts[-1]) <= options.stale_seconds


def _usual_levels(
    pairs: Sequence[tuple[MetricSeries, MetricSeries]], now: float, options: MetricOptions
) -> list[_Usual]:
    """Fit all series at once on one grid of hours that ends where the recent window begins."""
    recent_since = now - options.recent_window_minutes * 60
    first = np.floor((now - options.baseline_window_hours * HOUR_SECONDS) / HOUR_SECONDS) * HOUR_SECONDS
    starts = np.arange(first, recent_since - HOUR_SECONDS + 1, HOUR_SECONDS)
    levels, known = np.zeros((len(pairs), len(starts))), np.zeros((len(pairs), len(starts)), dtype=bool)
    for row, (_, coarse) in enumerate(pairs):
        places = np.round((coarse.bucket_starts - first) / HOUR_SECONDS).astype(np.int64)
        held = (places >= 0) & (places < len(starts))
        levels[row, places[held]], known[row, places[held]] = coarse.means[held], True
    weekly = hours_of_week(np.append(starts, now), options.timezone)
    fit = level_baseline(levels, known, weekly[:-1], int(weekly[-1]))
    scatter = np.array([_scatter(fine, recent_since) for fine, _ in pairs])
    deviations = np.sqrt(fit.spread**2 + scatter**2)
    return [
        _Usual(float(level), float(deviation), int(hours))
        for level, deviation, hours in zip(fit.level, deviations, fit.hours, strict=True)
    ]


def _scatter(fine: MetricSeries, recent_since: float) -> float:
    """How single buckets scatter around their own recent course, robustly, from before the recent window."""
    means = fine.means[fine.bucket_starts < recent_since]
    if len(means) < 3:
        return 0.0
    return 1.4826 * float(np.median(np.abs(means - np.median(means))))


def _level_finding(series: MetricSeries, usual: _Usual, now: float, options: MetricOptions) -> Finding | None:
    run = series.means[-options.consecutive_strikes :]
    if usual.hours < options.minimum_baseline_hours or len(run) < options.consecutive_strikes:
        return None
    least = options.minimum_change * abs(usual.level)
    reach = max(options.anomaly_threshold * usual.deviation, least)
    apart = run - usual.level
    if reach <= 0 or not (np.all(apart >= reach) or np.all(apart <= -reach)):
        return None
    deviation = max(usual.deviation, least / options.anomaly_threshold)
    counts = series.counts[-options.consecutive_strikes :]
    observed = float(np.average(run, weights=counts))
    score = abs(observed - usual.level) / deviation
    began = _onset(series, usual.level, observed, deviation, now - options.recent_window_minutes * 60)
    return Finding(
        detector=LEVEL_DETECTOR,
        metric=Metric.CUSTOM,
        subject=Subject("metric", series.name, service=series.service),
        observed=observed,
        expected=usual.level,
        expected_low=usual.level - 1.96 * deviation,
        expected_high=usual.level + 1.96 * deviation,
        sample_size=int(counts.sum()),
        score=score,
        p_value=float(2 * ndtr(-score)),
        window_start=float(series.bucket_starts[-options.consecutive_strikes]),
        window_end=now,
        onset_at=began.at,
        details={"onset_low": began.low, "onset_high": began.high, "baseline_hours": usual.hours},
    )


def _onset(series: MetricSeries, normal: float, broken: float, deviation: float, since: float) -> Onset:
    recent = series.bucket_starts >= since
    starts, means = series.bucket_starts[recent], series.means[recent]
    if len(starts) < 2:
        start = float(series.bucket_starts[-1])
        return Onset(start, start, start)
    return mean_onset(starts, means, np.ones(len(means)), normal=normal, broken=broken, deviation=deviation)


def _forecast_finding(
    series: MetricSeries, limit: MetricLimit, options: MetricOptions, random: np.random.Generator
) -> Finding | None:
    forecast = forecast_crossing(
        series.bucket_starts,
        series.means,
        threshold=limit.threshold,
        above=limit.above,
        horizon_seconds=options.horizon_seconds,
        random=random,
    )
    if forecast is None or forecast.probability < options.minimum_probability:
        return None
    subject = Subject("metric", series.name, service=series.service)
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
        details=_crossing_details(forecast),
    )


def _crossing_details(forecast: CrossingForecast) -> dict[str, JsonValue]:
    return {
        "crossing_at": forecast.median,
        "crossing_earliest": forecast.earliest,
        "crossing_latest": forecast.latest,
        "probability": forecast.probability,
        "slope_per_hour": forecast.slope_per_hour,
    }
