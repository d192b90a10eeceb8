"""The watch of custom metrics: values away from their usual level, and forecasts that reach a limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from detection.coverage import Watched
from detection.metrics.coverage import Heard, metric_states
from detection.metrics.findings import level_finding
from detection.metrics.forecasts import FORECAST_DETECTOR, MetricLimit, forecast_findings, limit_recovery
from detection.metrics.recovery import level_recovery
from detection.metrics.series import MetricOptions, is_fresh, key_of
from detection.metrics.stream import MetricStreams
from detection.metrics.usual_course import MOST_DAYS, courses_at
from detection.recovery import Recovery
from detection.types import Finding, Floats, ForecastDetails, LevelDetails, Metric, MetricDetails, MetricSeries
from integrations.charts import Point
from storage.database.reading import one_by_itself
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS, METRIC_MINUTES_KEPT_SECONDS, MetricLevels
from workers.memory.broken_times import (
    PastIncident,
    excluded_times,
    overlapping_hours,
    past_incidents,
    remembered_since,
)
from workers.memory.metric_buckets import Key
from workers.memory.metric_courses import fingerprint_of
from workers.options import metric_options
from workers.rules.metric_limits import limits_of
from workers.services import Services
from workers.watching.watch import Tick, Watch

OWN_POINTS = 60
"""How many of its own steps a metric is looked back at, where its steps are longer than a minute."""

FORECAST_EVERY_SECONDS = 300.0
FORECASTS_A_TICK = 10
"""A forecast takes 30 ms."""

MOST_UNUSUAL = 500
"""If more metrics than this are away at once, the others wait for the next minute."""


def findings(services: Services, tick: Tick) -> list[Finding]:
    """Judge new points once a minute, and a few forecasts per tick, so that each limit is tested every five minutes."""
    return [*_departures(services, tick), *_forecasts(services, tick)]


def _departures(services: Services, tick: Tick) -> list[Finding]:
    options, now = metric_options(services.settings), tick.now.timestamp()
    departed = services.metric_memory.departures(services.telemetry, now=now, options=options, past=tick.past)
    found: list[Finding] = []
    for key, departure in departed[:MOST_UNUSUAL]:
        with one_by_itself(f"judging {key[1]} of {key[0]}"):
            found += [
                level_finding(series, departure, now=now)
                for series in own_points(services, key, step=departure.step_seconds, until=now)
            ]
    return found


def own_points(services: Services, key: Key, *, step: float, until: float) -> Sequence[MetricSeries]:
    """Read the newest points of a series in its own grain: minutes, or hours where it has a point an hour or fewer."""
    minute = until // FINE_METRIC_SECONDS * FINE_METRIC_SECONDS
    since, width = minute - METRIC_MINUTES_KEPT_SECONDS, FINE_METRIC_SECONDS
    if step >= COARSE_SECONDS / 2:
        since, width = until - OWN_POINTS * step, COARSE_SECONDS
    return services.telemetry.metric_series(since=since, until=until, bucket_seconds=width, series=[key])


def _hourly(services: Services, series: Sequence[Key], *, now: float) -> Sequence[MetricSeries]:
    since = now - (MOST_DAYS * 24 + 1) * COARSE_SECONDS
    return services.telemetry.metric_series(since=since, until=now, bucket_seconds=COARSE_SECONDS, series=series)


def hourly_and_points(
    services: Services, key: Key, *, step: float, now: float
) -> tuple[MetricSeries | None, MetricSeries | None]:
    """Read the hours of a series and its newest points in its own grain; None where there are none."""
    hourly = next(iter(_hourly(services, [key], now=now)), None)
    return hourly, next(iter(own_points(services, key, step=step, until=now)), hourly)


def usual_hours(series: MetricSeries, past: Sequence[PastIncident], *, normal_since: float, now: float) -> MetricSeries:
    """Return an hourly series without the hours in which this metric was broken, or had another normal.

    normal_since: when its present normal began, in seconds UTC; NaN if none is remembered.
    """
    kept = ~(series.bucket_starts < normal_since)
    for began, ended in excluded_times(past, fingerprint_of(key_of(series)), now):
        kept &= ~overlapping_hours(series.bucket_starts, began, ended)
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
            past = _hourly(services, [_key(limit)], now=now)
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
    return max(since, -(-(now - METRIC_MINUTES_KEPT_SECONDS) // COARSE_SECONDS) * COARSE_SECONDS)


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
    """Compare the points between `live_at` and `until` with the usual course, or repeat the forecast.

    Stale series do not count.
    """
    options, key = metric_options(services.settings), key_in(finding)
    step = finding.details.step_seconds if isinstance(finding.details, LevelDetails) else 0.0
    points = [one for one in own_points(services, key, step=step, until=until) if is_fresh(one, until, options)]
    if finding.detector == FORECAST_DETECTOR:
        random = np.random.default_rng(int(until))
        return limit_recovery(finding, points, limit_in(finding), since=live_at, options=options, random=random)
    if not points:
        return level_recovery(finding, points, None, since=live_at, now=until)
    with services.readers() as session:
        at = datetime.fromtimestamp(until, UTC)
        past = past_incidents(session, since=remembered_since(at, options.baseline_window_hours), now=at)
    usual = usual_values(
        finding,
        _hourly(services, [key], now=until),
        points[0].bucket_starts,
        past,
        normal_since=float(remembered(services.telemetry.metric_memories([key]).get(key)).normal_since[0]),
        now=until,
        timezone=options.timezone,
    )
    return level_recovery(finding, points, usual, since=live_at, now=until)


def remembered(packed: bytes | None) -> MetricStreams:
    """Return what the watch stored of a series, as row 0; an empty memory if it stored nothing."""
    streams = MetricStreams(1)
    if packed is not None:
        streams.unpack(0, packed)
    return streams


def usual_values(
    finding: Finding,
    hourly: Sequence[MetricSeries],
    times: Floats,
    past: Sequence[PastIncident],
    *,
    normal_since: float,
    now: float,
    timezone: str,
) -> Floats:
    """Return what is usual for a finding's metric at each time, (n,): as the finding says where its hours do not tell.

    hourly: its hours, as one series or none; those since it broke do not count.
    """
    broken = PastIncident(finding.onset_at, None, finding.subject.service, frozenset({finding.fingerprint}))
    found = np.full(len(times), finding.expected)
    for series in hourly:
        usual = usual_hours(series, [*past, broken], normal_since=normal_since, now=now)
        course = courses_at(times, usual.bucket_starts, usual.means, timezone)
        found = np.where(np.isnan(course), found, course)
    return found


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
    """Return the state of each series that was heard of lately: ok, or insufficient data."""
    options, now = metric_options(services.settings), tick.now.timestamp()
    hourly = services.telemetry.metric_levels(
        since=now - MOST_DAYS * 24 * COARSE_SECONDS, until=now, bucket_seconds=COARSE_SECONDS
    )
    minutes = services.telemetry.metric_levels(
        since=now - options.stale_seconds, until=now, bucket_seconds=FINE_METRIC_SECONDS
    )
    lately = {minutes.names[row] for row in np.unique(minutes.rows).tolist()}
    heard = {key: replace(one, last_at=now) if key in lately else one for key, one in _heard(hourly).items()}
    return metric_states(heard, now=now, options=options)


def _heard(levels: MetricLevels) -> dict[Key, Heard]:
    """Return how long each series was heard of, by its hours."""
    size = len(levels.names)
    first, last, count = np.full(size, np.inf), np.full(size, -np.inf), np.bincount(levels.rows, minlength=size)
    np.minimum.at(first, levels.rows, levels.bucket_starts)
    np.maximum.at(last, levels.rows, levels.bucket_starts)
    return {
        levels.names[row]: Heard(
            hours=float(last[row] - first[row]) / COARSE_SECONDS,
            last_at=float(last[row]) + COARSE_SECONDS,
            step_seconds=float(last[row] - first[row]) / max(int(count[row]) - 1, 1) if count[row] > 2 else 0.0,
        )
        for row in np.flatnonzero(count).tolist()
    }


WATCH = Watch(frozenset({Metric.CUSTOM}), findings, points, retest, states, "points")
