from __future__ import annotations

import numpy as np
import pytest

from detection.funnels.stakes import conversion_stakes, daily_entries, product, shortfall
from detection.statistics.proportions import wilson_interval
from detection.types import Estimate
from tests.unit.detection.conftest import Shop

HOUR = 3600.0


def test_the_stakes_of_a_drop_are_affected_users_and_lost_conversions_per_day() -> None:
    stakes = conversion_stakes(
        entries=1000,
        converted=200,
        expected=Estimate(0.3, 0.29, 0.31),
        daily_entries=Estimate(20_000, 18_000, 22_000),
        value_per_conversion=5.0,
    )
    assert stakes.affected_users.value == pytest.approx(100)
    assert 70 < stakes.affected_users.low < 80
    assert 120 < stakes.affected_users.high < 130
    assert stakes.conversions_per_day.value == pytest.approx(2000)
    assert stakes.revenue_per_day is not None
    assert stakes.revenue_per_day.value == pytest.approx(10_000)
    assert stakes.revenue_per_day.low == pytest.approx(5 * stakes.conversions_per_day.low)
    assert stakes.revenue_per_day.low < 9_000 < 11_000 < stakes.revenue_per_day.high


def test_without_a_value_per_conversion_there_is_no_revenue() -> None:
    certain = Estimate(0.3, 0.3, 0.3)
    stakes = conversion_stakes(
        entries=10, converted=1, expected=certain, daily_entries=Estimate(10, 9, 11), value_per_conversion=None
    )
    assert stakes.revenue_per_day is None


@pytest.mark.parametrize(("entries", "converted", "value"), [(0, 0, 1.0), (5, 6, 1.0), (5, 1, -1.0)])
def test_impossible_counts_and_values_are_refused(entries: int, converted: int, value: float) -> None:
    with pytest.raises(ValueError, match=r"entries|negative"):
        conversion_stakes(
            entries=entries,
            converted=converted,
            expected=Estimate(0.3, 0.2, 0.4),
            daily_entries=Estimate(1, 1, 1),
            value_per_conversion=value,
        )


def test_the_intervals_have_their_nominal_coverage() -> None:
    random = np.random.default_rng(1)
    held = np.zeros(2)
    for _ in range(2000):
        past, converted = random.binomial(3000, 0.3), int(random.binomial(300, 0.2))
        low, high = wilson_interval(past, 3000)
        lost = shortfall(entries=300, converted=converted, expected=Estimate(past / 3000, float(low), float(high)))
        size = random.normal(10_000, 400)
        a_day = product(lost, Estimate(size, size - 1.96 * 400, size + 1.96 * 400))
        held += (lost.low <= 0.1 <= lost.high, a_day.low <= 1000 <= a_day.high)
    assert np.all((held / 2000 > 0.935) & (held / 2000 < 0.97))


def test_the_shortfall_of_a_recovered_rate_is_zero_within_its_interval() -> None:
    lost = shortfall(entries=500, converted=150, expected=Estimate(0.3, 0.29, 0.31))
    assert lost.value == pytest.approx(0.0)
    assert lost.low < 0 < lost.high


def test_daily_entries_are_estimated_from_whole_days_and_their_variance(shop: Shop) -> None:
    starts = shop.hours(7)
    per_hour = 100.0 + 50.0 * np.sin(2 * np.pi * starts / (24 * HOUR))
    estimate = daily_entries(shop.funnel(starts, per_hour, 0.1), until=shop.now)
    assert estimate.value == pytest.approx(2400, rel=0.03)
    assert estimate.low < 2400 < estimate.high
    assert estimate.high - estimate.low < 0.1 * estimate.value


def test_with_less_than_two_days_the_entries_are_scaled_to_a_day_with_a_poisson_interval(shop: Shop) -> None:
    estimate = daily_entries(shop.funnel(shop.hours(0.5), 100.0, 0.1), until=shop.now)
    assert estimate.value == pytest.approx(2400, rel=0.1)
    assert estimate.low < estimate.value < estimate.high
    nothing = daily_entries(shop.funnel(np.array([]), 100.0, 0.1), until=shop.now)
    assert nothing == Estimate(0.0, 0.0, 0.0)
