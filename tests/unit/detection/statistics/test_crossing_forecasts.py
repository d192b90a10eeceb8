from __future__ import annotations

import numpy as np
import pytest

from detection.statistics.crossing_forecasts import CrossingForecast, forecast_crossing
from detection.types import Floats

MINUTE = 60.0
HORIZON = 400 * MINUTE
PAST = 100


def forecast(values: Floats, threshold: float, *, above: bool = True, seed: int = 1) -> CrossingForecast:
    found = forecast_crossing(
        np.arange(len(values), dtype=np.float64) * MINUTE,
        values,
        threshold=threshold,
        above=above,
        horizon_seconds=HORIZON,
        random=np.random.default_rng(seed),
    )
    assert found is not None
    return found


def wait(found: CrossingForecast, moment: float | None) -> float:
    return np.inf if moment is None else moment - (PAST - 1) * MINUTE


def true_wait(level: np.ndarray, threshold: float) -> float:
    beyond = np.flatnonzero(level[PAST - 1 :] >= threshold)
    return float(beyond[0]) * MINUTE if len(beyond) and beyond[0] * MINUTE <= HORIZON else np.inf


def held(kind: str, random: np.random.Generator) -> bool:
    """Whether one simulated metric crossed between the 10 % and the 90 % quantile, give or take a minute."""
    slope = random.uniform(0.02, 0.2)
    count = PAST + 500
    line, noise = 10 + slope * np.arange(count), random.normal(0, 1, count)
    wandering = 10 + np.cumsum(random.normal(slope, 0.5, count))
    level = line if kind in ("line", "spikes") else wandering
    measured = {"line": line + noise, "spikes": line + noise, "walk": wandering, "noisy walk": wandering + noise / 2}
    seen = measured[kind][:PAST].copy()
    if kind == "spikes":
        seen[random.random(PAST) < 0.03] += 50
    threshold = level[PAST - 1] + slope * random.uniform(30, 200)
    found = forecast(seen, threshold, seed=int(random.integers(1 << 30)))
    truth = true_wait(level, threshold)
    return wait(found, found.earliest) <= truth <= wait(found, found.latest) + MINUTE


@pytest.mark.parametrize("kind", ["line", "spikes", "walk", "noisy walk"])
def test_the_interval_of_the_crossing_time_has_its_nominal_coverage(kind: str) -> None:
    random = np.random.default_rng(4)

    assert np.mean([held(kind, random) for _ in range(60)]) >= 0.7  # 0.8 minus two standard errors


def test_a_clean_line_is_forecast_to_the_minute() -> None:
    values = 50 + 0.1 * np.arange(PAST) + np.random.default_rng(1).normal(0, 0.05, PAST)
    found = forecast(values, 50 + 0.1 * 200)

    assert wait(found, found.median) == pytest.approx(101 * MINUTE, abs=2 * MINUTE)
    assert found.probability > 0.99
    assert found.slope_per_hour == pytest.approx(6.0, abs=0.2)


def test_a_floor_is_crossed_downward() -> None:
    values = 50 - 0.1 * np.arange(PAST) + np.random.default_rng(1).normal(0, 0.05, PAST)
    found = forecast(values, 30.0, above=False)

    assert wait(found, found.median) == pytest.approx(101 * MINUTE, abs=2 * MINUTE)
    assert found.slope_per_hour == pytest.approx(-6.0, abs=0.2)


@pytest.mark.parametrize("slope", [0.0, -0.1])
def test_a_metric_that_does_not_rise_does_not_cross_within_the_horizon(slope: float) -> None:
    values = 50 + slope * np.arange(PAST) + np.random.default_rng(1).normal(0, 1, PAST)
    found = forecast(values, 90)

    assert found.median is None
    assert found.probability < 0.05


def test_a_level_beyond_the_threshold_crosses_now() -> None:
    found = forecast(np.linspace(90, 99, PAST), 95)

    assert (found.earliest, found.median, found.latest) == ((PAST - 1) * MINUTE,) * 3


def test_gaps_in_the_history_do_not_spoil_the_forecast() -> None:
    values = 50 + 0.1 * np.arange(PAST) + np.random.default_rng(1).normal(0, 0.05, PAST)
    kept = np.r_[0:30, 60:PAST]
    found = forecast_crossing(
        kept * MINUTE, values[kept], threshold=70, above=True, horizon_seconds=HORIZON, random=np.random.default_rng(1)
    )

    assert found is not None
    assert wait(found, found.median) == pytest.approx(101 * MINUTE, abs=3 * MINUTE)


def test_a_constant_metric_never_crosses() -> None:
    assert forecast(np.full(PAST, 40.0), 90).median is None


@pytest.mark.parametrize("moments", [np.arange(11.0), np.zeros(50)])
def test_too_little_history_is_insufficient_data(moments: np.ndarray) -> None:
    assert (
        forecast_crossing(
            moments,
            np.ones(len(moments)),
            threshold=2,
            above=True,
            horizon_seconds=HORIZON,
            random=np.random.default_rng(1),
        )
        is None
    )
