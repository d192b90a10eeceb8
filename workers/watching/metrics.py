"""The watch of custom metrics: values away from their usual level, and forecasts that reach a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from detection.coverage import Watched
from detection.metrics.coverage import metric_states
from detection.metrics.findings import (
    FORECAST_DETECTOR,
    MetricLimit,
    MetricOptions,
    forecast_findings,
    is_fresh,
    key_of,
    metric_findings,
    metric_subject,
)
from detection.metrics.standings import level_recovery, limit_recovery
from detection.recovery import Recovery
from detection.types import Finding, ForecastDetails, Metric, MetricDetails, MetricSeries
from integrations.charts import Point
from storage.database.reading import one_by_itself, together_or_each
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS, MetricLevels
from workers.memory.broken_times import PastIncident, excluded_times
from workers.memory.metrics import Key
from workers.options import metric_options
from workers.rules.metric_limits import limits_of
from workers.services import Services
from workers.watching.watch import Tick, Watch

FINE_SECONDS = 3 * 3600.0
"""How long fine buckets are kept; those before the recent window show the spread of single minutes."""

FORECAST_EVERY_SECONDS = 300.0
FORECASTS_A_TICK = 10
"""A forecast takes 30 ms."""

MOST_UNUSUAL = 500
"""If more metrics than this are unusual at once, only the farthest from usual are read."""

SERIES_AT_ONCE = 100


def findings(services: Services, tick: Tick) -> list[Finding]:
    """Test the levels once a minute, and a few forecasts per tick, so that each limit is tested every five minutes."""
    return [*_levels(services, tick), *_forecasts(services, tick)]


def _levels(services: Services, tick: Tick) -> list[Finding]:
    options, now = metric_options(services.settings), tick.now.timestamp()
    broken = {fingerprint for one in tick.past for fingerprint in one.fingerprints}
    suspects = services.metric_memory.unusual(
        services.telemetry, now=now, options=options, broken=broken, most=MOST_UNUSUAL
    )

    def found_in(some: Sequence[Key]) -> list[Finding]:
        fine, past = fine_and_hourly(services, some, now=now, options=options)
        usual = [without_broken_hours(one, tick.past, now) for one in past]
        return metric_findings(fine, usual, now=now, options=options)

    found: list[Finding] = []
    for start in range(0, len(suspects), SERIES_AT_ONCE):
        found += together_or_each(suspects[start : start + SERIES_AT_ONCE], found_in)
    return found


def fine_and_hourly(
    services: Services, series: Sequence[Key], *, now: float, options: MetricOptions
) -> tuple[Sequence[MetricSeries], Sequence[MetricSeries]]:
    """Read the series for the level test: whole minutes of the last FINE_SECONDS, and the hours of the baseline."""
    minute = now // FINE_METRIC_SECONDS * FINE_METRIC_SECONDS
    fine = services.telemetry.metric_series(
        since=minute - FINE_SECONDS, until=minute, bucket_seconds=FINE_METRIC_SECONDS, series=series
    )
    return fine, _hourly(services, series, now=now, options=options)


def _hourly(services: Services, series: Sequence[Key], *, now: float, options: MetricOptions) -> Sequence[MetricSeries]:
    since = now - (options.baseline_window_hours + 1) * COARSE_SECONDS
    return services.telemetry.metric_series(since=since, until=now, bucket_seconds=COARSE_SECONDS, series=series)


def without_broken_hours(series: MetricSeries, past: Sequence[PastIncident], now: float) -> MetricSeries:
    """Return an hourly series without the hours in which this metric was broken."""
    fingerprint = f"{Metric.CUSTOM}:{metric_subject(*key_of(series)).key()}"
    kept = np.ones(len(series.bucket_starts), dtype=bool)
    for began, ended in excluded_times(past, fingerprint, now):
        kept &= (series.bucket_starts + COARSE_SECONDS <= began) | (series.bucket_starts >= ended)
    if kept.all():
        return series
    return replace(
        series,
        bucket_starts=series.bucket_starts[kept],
        means=series.means[kept],
        counts=series.counts[kept],
        lows=None if series.lows is None else series.lows[kept],
        highs=None if series.highs is None else series.highs[kept],
    )


def _forecasts(services: Services, tick: Tick) -> list[Finding]:
    options, now = metric_options(services.settings), tick.now.timestamp()
    memory = services.metric_memory
    with services.readers() as session:
        limits = limits_of(session, memory.keys())
    taken = memory.worth_forecasting(limits, now=now, every_seconds=FORECAST_EVERY_SECONDS, most=FORECASTS_A_TICK)
    random = np.random.default_rng(int(now))
    found: list[Finding] = []
    for limit in taken:
        with one_by_itself(f"forecasting {limit.name} of {limit.service}"):
            series = history(services, limit, now=now, options=options)
            past = _hourly(services, [_key(limit)], now=now, options=options)
            found += forecast_findings(series, [limit], now=now, options=options, random=random, baseline=past)
    return found


def _key(limit: MetricLimit) -> Key:
    return limit.service, limit.name, limit.attributes


def history(services: Services, limit: MetricLimit, *, now: float, options: MetricOptions) -> list[MetricSeries]:
    """Read a series as far back as the forecast looks ahead: hours, and minutes where they are kept."""
    horizon = limit.horizon_seconds or options.horizon_seconds
    return _joined(services, _key(limit), since=now - horizon, until=now, now=now)


def _joined(services: Services, key: Key, *, since: float, until: float, now: float) -> list[MetricSeries]:
    minute = until // FINE_METRIC_SECONDS * FINE_METRIC_SECONDS
    minutes_since = fine_since(since, now)
    telemetry = services.telemetry
    fine = telemetry.metric_series(since=minutes_since, until=minute, bucket_seconds=FINE_METRIC_SECONDS, series=[key])
    coarse = telemetry.metric_series(
        since=since, until=min(minutes_since, until), bucket_seconds=COARSE_SECONDS, series=[key]
    )
    return joined(fine, coarse)


def fine_since(since: float, now: float) -> float:
    """Return the first whole hour from `since` on of which all minutes are kept."""
    return max(since, -(-(now - FINE_SECONDS) // COARSE_SECONDS) * COARSE_SECONDS)


def joined(fine: Sequence[MetricSeries], coarse: Sequence[MetricSeries]) -> list[MetricSeries]:
    """Concatenate the hours of one series, placed at their middle, and its minutes; an empty list if it has neither."""
    if not coarse:
        return list(fine)
    hours = replace(coarse[0], bucket_starts=coarse[0].bucket_starts + COARSE_SECONDS / 2, lows=None, highs=None)
    if not fine:
        return [hours]
    return [
        replace(
            hours,
            bucket_starts=np.concatenate([hours.bucket_starts, fine[0].bucket_starts]),
            means=np.concatenate([hours.means, fine[0].means]),
            counts=np.concatenate([hours.counts, fine[0].counts]),
        )
    ]


def points(services: Services, finding: Finding, since: float, until: float) -> tuple[Point, ...]:
    """Return one point per minute, or per hour where minutes are no longer kept."""
    found = _joined(services, key_in(finding), since=since, until=until, now=services.clock().timestamp())
    return tuple(
        Point(float(at) + FINE_METRIC_SECONDS / 2, float(mean))
        for series in found
        for at, mean in zip(series.bucket_starts, series.means, strict=True)
    )


def retest(services: Services, finding: Finding, live_at: float, until: float) -> Recovery:
    """Compare the minutes between `live_at` and `until` with the usual level, or repeat the forecast.

    Stale series do not count.
    """
    options, key = metric_options(services.settings), key_in(finding)
    fine, past = fine_and_hourly(services, [key], now=until, options=options)
    fine = [series for series in fine if is_fresh(series, until, options)]
    if finding.detector == FORECAST_DETECTOR:
        random = np.random.default_rng(int(until))
        return limit_recovery(finding, fine, limit_in(finding), since=live_at, options=options, random=random)
    before = [without_broken_hours(one, [_until_now(finding)], until) for one in past]
    return level_recovery(finding, fine, before, since=live_at, now=until, options=options)


def _until_now(finding: Finding) -> PastIncident:
    return PastIncident(finding.onset_at, None, finding.subject.service, frozenset({finding.fingerprint}))


def key_in(finding: Finding) -> Key:
    """Return the series that a finding is about."""
    assert isinstance(finding.details, MetricDetails)
    return finding.subject.service or "", finding.details.metric, finding.details.attributes


def limit_in(finding: Finding) -> MetricLimit:
    """Return the limit that a finding's forecast is about."""
    service, name, attributes = key_in(finding)
    assert isinstance(finding.details, ForecastDetails)
    return MetricLimit(
        name,
        service,
        finding.expected,
        above=finding.details.above,
        attributes=attributes,
        horizon_seconds=finding.details.horizon_seconds,
    )


def states(services: Services, tick: Tick) -> list[Watched]:
    """Return the state of each series of the baseline or the recent window: ok, or insufficient data."""
    options, now = metric_options(services.settings), tick.now.timestamp()
    hourly = services.telemetry.metric_levels(
        since=now - options.baseline_window_hours * COARSE_SECONDS,
        until=now - options.recent_window_minutes * 60,
        bucket_seconds=COARSE_SECONDS,
    )
    lately = services.telemetry.metric_levels(
        since=now - options.stale_seconds, until=now, bucket_seconds=FINE_METRIC_SECONDS
    )
    return metric_states(_buckets(hourly), _buckets(lately), options=options)


def _buckets(levels: MetricLevels) -> dict[Key, int]:
    """Count the buckets of each series."""
    found = np.bincount(levels.rows, minlength=len(levels.names))
    return {name: int(count) for name, count in zip(levels.names, found, strict=True)}


WATCH = Watch(frozenset({Metric.CUSTOM}), findings, points, retest, states, "points")
