"""List the watched custom metrics: the state of each, and when it is forecast to reach its limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from detection.metrics.findings import MetricLimit, MetricOptions, is_fresh, limit_forecast
from detection.metrics.standings import MetricStanding, MetricState, is_within_reach, metric_standings
from detection.statistics.crossing_forecasts import CrossingForecast
from detection.types import MetricSeries
from storage.telemetry.protocol import MetricName
from workers.memory.broken_times import past_incidents
from workers.options import metric_options
from workers.rules.metric_limits import limits_of
from workers.services import Services
from workers.watching.metrics import fine_and_hourly, history, without_broken_hours

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
    fine, hourly = fine_and_hourly(services, keys, now=now, options=options)
    with services.readers() as session:
        past = past_incidents(session, since=at - timedelta(hours=options.baseline_window_hours), now=at)
        limits = limits_of(session, keys)
    standings = metric_standings(
        fine, [without_broken_hours(one, past, now) for one in hourly], now=now, options=options
    )
    forecasts = {key: _forecasts(services, [one for one in limits if _key(one) == key], now, options) for key in keys}
    return [
        WatchedMetric(one, standings.get(key, _UNSEEN), forecasts[key]) for one, key in zip(names, keys, strict=True)
    ]


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
