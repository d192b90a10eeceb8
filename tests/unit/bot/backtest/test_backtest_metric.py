"""A metric's history is replayed as in production: minute by minute, with incidents that nobody acts on."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from bot.backtest.buckets import SERVICE
from bot.backtest.csv_history import History
from bot.backtest.metric import MetricReplay, replay
from detection.metrics.course import NEW_NORMAL_AFTER_SECONDS
from detection.types import Floats, ForecastDetails
from tests.finding_details import details_as
from workers.settings import Settings

START = datetime(2026, 2, 1, tzinfo=UTC).timestamp()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def settings(**others: object) -> Settings:
    return Settings(_env_file=None, **others)  # type: ignore[arg-type]


def replayed(times: Floats, values: Floats, name: str = "depth", **others: object) -> MetricReplay:
    return replay(History(times, values), name, settings(**others))


def minutes(days: float) -> Floats:
    return START + MINUTE * np.arange(round(days * 1440), dtype=np.float64)


def noise_with_trouble(times: Floats, seed: int = 7) -> Floats:
    """Return noise around a level, with two hours of high values on the third day."""
    values = np.random.default_rng(seed).normal(100, 4, len(times))
    broken = (times >= START + 2.5 * DAY) & (times < START + 2.5 * DAY + 2 * HOUR)
    return np.where(broken, values + 80, values)


def test_a_long_steady_history_raises_no_alarm() -> None:
    times = START + 30 * np.arange(10_000, dtype=np.float64)
    values = np.random.default_rng(1).normal(100, 3, len(times))

    result = replayed(times, values)

    assert result.incidents == ()
    assert result.points - result.judged == pytest.approx(36 * 60, abs=120)


@pytest.mark.parametrize("step", [60.0, 300.0, 3600.0, DAY])
def test_a_level_that_doubles_and_stays_is_told_once_in_every_grain(step: float) -> None:
    times = START + step * np.arange(max(1200, 3 * DAY / step), dtype=np.float64)
    values = np.random.default_rng(5).normal(100, 4, len(times))
    broken_from = len(times) - 30
    values[broken_from:] += 100

    [incident] = replayed(times, values).incidents

    assert incident.noticed_at - times[broken_from] <= 5 * step
    assert (incident.resolved_at is None) is (29 * step < NEW_NORMAL_AFTER_SECONDS)
    assert incident.reopened == 0


def test_what_has_lasted_two_days_is_the_new_normal_and_is_not_told_again() -> None:
    times = START + 300.0 * np.arange(10 * 288, dtype=np.float64)
    values = np.random.default_rng(5).normal(100, 4, len(times))
    changed = START + 6 * DAY
    values[times >= changed] *= 2

    [incident] = replayed(times, values).incidents

    assert incident.resolved_at is not None
    assert incident.resolved_at - changed == pytest.approx(NEW_NORMAL_AFTER_SECONDS, abs=HOUR)


def test_two_troubles_apart_are_two_incidents_that_are_over_when_they_are() -> None:
    times = minutes(4)
    values = np.random.default_rng(6).normal(100, 4, len(times))
    for hour in (60, 80):
        values[(times >= START + hour * HOUR) & (times < START + (hour + 1) * HOUR)] += 120

    first, second = replayed(times, values).incidents

    for incident, hour in ((first, 60), (second, 80)):
        assert START + hour * HOUR <= incident.noticed_at <= START + hour * HOUR + 6 * MINUTE
        assert incident.resolved_at is not None
        assert incident.resolved_at - START - (hour + 1) * HOUR <= 40 * MINUTE


def test_the_hour_of_the_week_is_in_the_teams_time_zone() -> None:
    times = minutes(16)[::5]
    local = (times + 5.5 * HOUR) % DAY
    random = np.random.default_rng(3)
    values = np.where((local >= 9 * HOUR) & (local < 18 * HOUR), 1000.0, 100.0) + random.normal(0, 5, len(times))
    low = replayed(times, values, argux_timezone="Asia/Kolkata").chart_data.low
    utc = replayed(times, values).chart_data.low
    first_hour = (times >= START + 15 * DAY) & (local >= 9 * HOUR) & (local < 9.5 * HOUR)

    assert not np.allclose(low[first_hour], utc[first_hour])


def test_no_minute_is_judged_by_later_data() -> None:
    times = minutes(3)
    values = noise_with_trouble(times)
    kept = round(2.6 * 1440)
    whole, cut = replayed(times, values), replayed(times[:kept], values[:kept])

    assert cut.chart_data.fired.tolist() == whole.chart_data.fired[:kept].tolist()
    assert np.array_equal(cut.chart_data.low, whole.chart_data.low[:kept], equal_nan=True)


def test_a_filling_disk_is_forecast_by_the_built_in_limit_of_its_metric() -> None:
    times = minutes(1.5)
    filling = 0.4 + 0.1 * np.clip(times - START - DAY, 0, None) / HOUR
    values = np.minimum(filling, 0.99) + np.random.default_rng(2).normal(0, 0.002, len(times))
    early = times < START + DAY + 3 * HOUR

    *_, incident = replayed(times[early], values[early], "system.filesystem.utilization").incidents

    assert incident.first.detector == "metric_forecast"
    assert incident.noticed_at < START + DAY + 3 * HOUR
    assert incident.first.subject.service == SERVICE
    assert details_as(ForecastDetails, incident.first).crossing_at == pytest.approx(START + DAY + 6 * HOUR, abs=HOUR)


def test_after_three_days_of_silence_earlier_data_is_dropped() -> None:
    times = np.concatenate([minutes(2), START + 6 * DAY + MINUTE * np.arange(1440 // 2)])
    result = replayed(times, np.random.default_rng(1).normal(100, 3, len(times)))

    assert np.isnan(result.chart_data.low[-1])
    assert np.isfinite(result.chart_data.low[2800])
