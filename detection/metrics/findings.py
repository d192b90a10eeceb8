"""Findings about custom metrics that left their usual level for this hour of the week or are heading for a limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from detection.metrics.habits import comes_and_goes, is_habit
from detection.statistics.baselines import HOUR_SECONDS, hours_of_week, level_baseline
from detection.statistics.changepoints import Onset, mean_onset
from detection.statistics.crossing_forecasts import CrossingForecast, forecast_crossing
from detection.types import Finding, ForecastDetails, LevelDetails, Metric, MetricSeries, Subject

LEVEL_DETECTOR, FORECAST_DETECTOR = "metric_level", "metric_forecast"


@dataclass(frozen=True, slots=True)
class MetricOptions:
    """When a custom metric makes a finding.

    A bucket strikes when it is at least `anomaly_threshold` standard deviations and at least `minimum_change` (a share
    of the usual level) away from the usual level; `consecutive_strikes` strikes on the same side make a finding. A
    forecast makes a finding when the limit is crossed within the horizon with at least `minimum_probability`.
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
    """A level that one series of a metric must not reach: a ceiling, or a floor if `above` is false.

    horizon_seconds: how far ahead a crossing is forecast; None means the horizon of the options.
    """

    name: str
    service: str
    threshold: float
    above: bool = True
    attributes: str = ""
    horizon_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class UsualLevel:
    """The level expected now; `deviation` is the standard deviation of one fine bucket, between and within hours.

    hours: the number of past hours that it was fitted to.
    """

    level: float
    deviation: float
    hours: int

    def reach(self, options: MetricOptions) -> float:
        """Return how far from the level a bucket must be to strike."""
        return max(options.anomaly_threshold * self.deviation, options.minimum_change * abs(self.level))

    def spread(self, options: MetricOptions) -> float:
        """Return the deviation of one unit of score; it is raised where `minimum_change` is the stricter criterion."""
        return max(self.deviation, options.minimum_change * abs(self.level) / options.anomaly_threshold)


def metric_findings(
    series: Sequence[MetricSeries], baseline: Sequence[MetricSeries], *, now: float, options: MetricOptions
) -> list[Finding]:
    """Return findings about metrics that left their usual level for this hour of the week.

    series: fine buckets, of at least the last `recent_window_minutes`, preferably three hours, from which the scatter
    of single buckets is estimated; baseline: hourly buckets. A metric with fewer than `minimum_baseline_hours` before
    the recent window, or without a point for `stale_seconds`, has insufficient data.
    """
    past = {key_of(one): one for one in baseline}
    pairs = [(one, past[key_of(one)]) for one in series if key_of(one) in past and is_fresh(one, now, options)]
    usual = usual_levels(pairs, now, options)
    return [
        _level_finding(fine, level, now, options)
        for (fine, past), level in zip(pairs, usual, strict=True)
        if is_unusual(fine, level, past, now, options)
    ]


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


def key_of(series: MetricSeries) -> tuple[str, str, str]:
    """Return the unique key of a series: (service, name, attributes)."""
    return series.service, series.name, series.attributes


def metric_subject(service: str, name: str, attributes: str) -> Subject:
    """Return the subject of findings about a series."""
    return Subject("metric", f"{name} ({attributes})" if attributes else name, service=service)


def is_fresh(series: MetricSeries, now: float, options: MetricOptions) -> bool:
    """Whether the metric has a point within the last `stale_seconds`."""
    return len(series.bucket_starts) > 0 and now - float(series.bucket_starts[-1]) <= options.stale_seconds


def usual_levels(
    pairs: Sequence[tuple[MetricSeries, MetricSeries]], now: float, options: MetricOptions
) -> list[UsualLevel]:
    """Fit the usual level of each (fine, hourly) pair, on one grid that ends where the recent window begins."""
    hourly = hourly_levels([coarse for _, coarse in pairs], now, options)
    return [with_scatter(level, fine, now, options) for (fine, _), level in zip(pairs, hourly, strict=True)]


def hourly_levels(baseline: Sequence[MetricSeries], now: float, options: MetricOptions) -> list[UsualLevel]:
    """Fit the usual level of each hourly series; `deviation` is between hours only, so never above `usual_levels`'."""
    recent_since = now - options.recent_window_minutes * 60
    first = np.floor((now - options.baseline_window_hours * HOUR_SECONDS) / HOUR_SECONDS) * HOUR_SECONDS
    starts = np.arange(first, recent_since - HOUR_SECONDS + 1, HOUR_SECONDS)
    levels, known = np.zeros((len(baseline), len(starts))), np.zeros((len(baseline), len(starts)), dtype=bool)
    for row, coarse in enumerate(baseline):
        places = np.round((coarse.bucket_starts - first) / HOUR_SECONDS).astype(np.int64)
        held = (places >= 0) & (places < len(starts))
        levels[row, places[held]], known[row, places[held]] = coarse.means[held], True
    weekly = hours_of_week(np.append(starts, now), options.timezone)
    fit = level_baseline(levels, known, weekly[:-1], int(weekly[-1]))
    return [
        UsualLevel(float(level), float(spread), int(hours))
        for level, spread, hours in zip(fit.level, fit.spread, fit.hours, strict=True)
    ]


def with_scatter(usual: UsualLevel, fine: MetricSeries, now: float, options: MetricOptions) -> UsualLevel:
    """Add the scatter of single fine buckets to the deviation between hours."""
    scatter = _scatter(fine, now - options.recent_window_minutes * 60)
    return replace(usual, deviation=float(np.sqrt(usual.deviation**2 + scatter**2)))


def _scatter(fine: MetricSeries, recent_since: float) -> float:
    """Return a robust standard deviation of the single buckets before the recent window.

    It is the larger of the scaled median absolute deviation and the winsorised standard deviation (Tukey 1962), because
    the former is zero for a count that is mostly zero.
    """
    means = fine.means[fine.bucket_starts < recent_since]
    if len(means) < 3:
        return 0.0
    lowest, highest = np.quantile(means, (0.025, 0.975))
    return max(
        1.4826 * float(np.median(np.abs(means - np.median(means)))), float(np.clip(means, lowest, highest).std())
    )


def is_away(series: MetricSeries, usual: UsualLevel, options: MetricOptions) -> bool:
    """Whether the newest buckets all strike on the same side of the usual level."""
    run = series.means[-options.consecutive_strikes :]
    if usual.hours < options.minimum_baseline_hours or len(run) < options.consecutive_strikes:
        return False
    apart, reach = run - usual.level, usual.reach(options)
    return reach > 0 and bool(np.all(apart >= reach) or np.all(apart <= -reach))


def is_unusual(series: MetricSeries, usual: UsualLevel, past: MetricSeries, now: float, options: MetricOptions) -> bool:
    """Whether the newest buckets make a finding: away from the usual level, and not a habit at this time of day."""
    run = series.means[-options.consecutive_strikes :]
    return is_away(series, usual, options) and not is_habit(run, usual.level, past, now=now)


def _level_finding(series: MetricSeries, usual: UsualLevel, now: float, options: MetricOptions) -> Finding:
    run, deviation = series.means[-options.consecutive_strikes :], usual.spread(options)
    counts = series.counts[-options.consecutive_strikes :]
    observed = float(np.average(run, weights=counts))
    score = abs(observed - usual.level) / deviation
    began = _onset(series, usual.level, observed, deviation, now - options.recent_window_minutes * 60)
    return Finding(
        detector=LEVEL_DETECTOR,
        metric=Metric.CUSTOM,
        subject=metric_subject(*key_of(series)),
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
        details=LevelDetails(
            metric=series.name,
            attributes=series.attributes,
            is_rate=series.is_rate,
            onset_low=began.low,
            onset_high=began.high,
            baseline_hours=usual.hours,
        ),
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
