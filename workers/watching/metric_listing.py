"""List the watched custom metrics: the state of each, and when it is forecast to reach its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.metrics.forecasts import MetricLimit, is_within_reach, limit_forecast
from detection.metrics.series import MetricOptions, is_fresh
from detection.metrics.standings import MetricStanding, MetricState
from detection.metrics.stream import LEAST_POINTS
from detection.metrics.usual_course import courses_at
from detection.statistics.crossing_forecasts import CrossingForecast
from detection.types import MetricSeries
from storage.telemetry.protocol import MetricName
from workers.memory.broken_times import PastIncident, past_incidents, remembered_since
from workers.memory.metric_buckets import Key
from workers.options import metric_options
from workers.rules.metric_limits import limits_of
from workers.services import Services
from workers.watching.metrics import history, hourly_and_points, remembered, usual_hours

LEAST_PROBABILITY = 0.1
"""Forecasts less likely than this are not listed."""

_UNSEEN = MetricStanding(MetricState.INSUFFICIENT_DATA, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class WatchedMetric:
    """One series, its state, and the forecasts of the limits that it is likely to reach."""

    name: MetricName
    standing: MetricStanding
    forecasts: tuple[tuple[MetricLimit, CrossingForecast], ...]


def watched_metrics(
    services: Services, *, service: str | None, name: str | None, limit: int, offset: int
) -> list[WatchedMetric]:
    """Return a page of series, ordered by service, name and attributes, with the state that a tick would give them."""
    at = services.clock()
    now, options = at.timestamp(), metric_options(services.settings)
    names = services.telemetry.metric_names(service=service, name=name, limit=limit, offset=offset)
    keys = [(one.service, one.name, one.attributes) for one in names]
    with services.readers() as session:
        past = past_incidents(session, since=remembered_since(at, options.baseline_window_hours), now=at)
        limits = limits_of(session, keys)
    memories = services.telemetry.metric_memories(keys)
    standings = {key: _standing(services, key, memories.get(key), past, now, options) for key in keys}
    forecasts = {key: _forecasts(services, [one for one in limits if _key(one) == key], now, options) for key in keys}
    return [WatchedMetric(one, standings[key], forecasts[key]) for one, key in zip(names, keys, strict=True)]


def _standing(
    services: Services,
    key: Key,
    packed: bytes | None,
    past: Sequence[PastIncident],
    now: float,
    options: MetricOptions,
) -> MetricStanding:
    """Return how a series stands, by what the watch remembers of it and by its newest points."""
    streams = remembered(packed)
    step = float(np.nan_to_num(streams.step[0]))
    hourly, points = hourly_and_points(services, key, step=step, now=now)
    if points is None:
        return _UNSEEN
    latest, latest_at = float(points.means[-1]), float(points.bucket_starts[-1])
    row = np.zeros(1, dtype=np.int64)
    expected = float(streams.expected[0])
    if hourly is not None:
        usual = usual_hours(hourly, past, normal_since=float(streams.normal_since[0]), now=now)
        course = courses_at(np.array([now]), usual.bucket_starts, usual.means, options.timezone)
        expected = float(course[0]) if np.isfinite(course[0]) else expected
    reach = float(streams.usual_reach(row)[0][0])
    if streams.seen[0] < LEAST_POINTS or np.isnan(expected + reach) or not is_fresh(points, now, options):
        return MetricStanding(MetricState.INSUFFICIENT_DATA, latest, latest_at, None, None, None)
    away = len(streams.away()) > 0 and streams.describe(0).is_broken
    state = MetricState.UNUSUAL if away else MetricState.OK
    return MetricStanding(state, latest, latest_at, expected, expected - reach, expected + reach)


def _key(limit: MetricLimit) -> tuple[str, str, str]:
    return limit.service, limit.name, limit.attributes


def _forecasts(
    services: Services, limits: Sequence[MetricLimit], now: float, options: MetricOptions
) -> tuple[tuple[MetricLimit, CrossingForecast], ...]:
    found = []
    for limit in limits:
        series = next(iter(history(services, limit, now=now, options=options)), None)
        if series is None or not is_fresh(series, now, options) or not _is_near(series, limit):
            continue
        forecast = limit_forecast(series, limit, options=options, random=np.random.default_rng(int(now)))
        if forecast is not None and forecast.probability >= LEAST_PROBABILITY:
            found.append((limit, forecast))
    return tuple(found)


def _is_near(series: MetricSeries, limit: MetricLimit) -> bool:
    one = np.ones(1)
    near = is_within_reach(
        one * series.means.min(),
        one * series.means.max(),
        one * series.means[-1],
        one * limit.threshold,
        np.array([limit.above]),
    )
    return bool(near[0])
