from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.funnels.drifts import Drift, DriftOptions, conversion_drifts
from detection.types import FunnelSeries
from tests.unit.detection.conftest import Shop

OPTIONS = DriftOptions()


def drifting(
    shop: Shop, change: float, *, days: float = 21, per_hour: float = 1000.0, noise: float = 0.0
) -> FunnelSeries:
    """Draw a daily rhythm of entries and conversion whose rate drifts by `change` over the last two days."""
    starts = shop.hours(days)
    rhythm = 1 + 0.2 * np.sin(2 * np.pi * starts / 86_400)
    creeping = np.interp(starts, [shop.now - 2 * 86_400, shop.now], [1.0, 1 + change])
    rates = 0.3 * rhythm * creeping * np.exp(shop.random.normal(0, noise, len(starts)))
    return shop.funnel(starts, per_hour * (2 - rhythm), rates)


def drifts(shop: Shop, series: FunnelSeries, options: DriftOptions = OPTIONS) -> list[Drift] | None:
    return conversion_drifts(series, horizon_seconds=120.0, now=shop.now, options=options)


def one_drift(shop: Shop, series: FunnelSeries) -> Drift:
    found = drifts(shop, series)
    assert found is not None
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("change", [-0.2, 0.2])
def test_a_rate_that_drifts_over_two_days_is_found_down_and_up(shop: Shop, change: float) -> None:
    found = one_drift(shop, drifting(shop, change))
    assert np.sign(found.change) == np.sign(change)
    assert 0.3 * abs(change) < abs(found.change) < abs(change)
    assert found.score >= found.threshold
    assert shop.now - 2.5 * 86_400 < found.began_at < shop.now - 86_400
    assert found.entries > 10_000


def test_a_steady_daily_rhythm_is_no_drift_even_with_overdispersed_hours(shop: Shop) -> None:
    for noise in (0.0, 0.05):
        assert all(drifts(shop, drifting(shop, 0.0, noise=noise)) == [] for _ in range(15))


def test_a_week_of_data_is_enough_and_less_or_little_traffic_is_insufficient(shop: Shop) -> None:
    assert len(drifts(shop, drifting(shop, -0.25, days=7)) or []) == 1
    assert drifts(shop, drifting(shop, -0.25, days=5)) is None
    assert drifts(shop, drifting(shop, -0.25, per_hour=3)) is None
    assert drifts(shop, shop.funnel(np.array([]), 1.0, 0.3)) is None


def test_a_drift_that_ended_is_no_longer_reported(shop: Shop) -> None:
    starts = shop.hours(21)
    dipped = np.where((starts > shop.now - 60 * 3600) & (starts < shop.now - 36 * 3600), 0.24, 0.3)
    assert drifts(shop, shop.funnel(starts, 1000.0, dipped)) == []


def test_a_longer_time_between_false_alarms_raises_the_threshold(shop: Shop) -> None:
    series = drifting(shop, -0.2)
    found = one_drift(shop, series)
    again = drifts(shop, series, DriftOptions(hours_between_false_alarms=np.exp(found.score - 1)))
    assert again is not None
    assert [drift.threshold for drift in again] == [pytest.approx(found.score - 1)]
    assert [replace(drift, threshold=found.threshold) for drift in again] == [found]
    assert drifts(shop, series, DriftOptions(hours_between_false_alarms=np.exp(found.score + 1))) == []
