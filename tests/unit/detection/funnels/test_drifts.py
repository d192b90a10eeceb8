from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.funnels.drifts import DriftOptions, conversion_drifts
from detection.types import FunnelSeries

OPTIONS = DriftOptions()


def drifting(shop, change: float, *, days: float = 21, per_hour: float = 1000.0, noise: float = 0.0) -> FunnelSeries:
    """A daily rhythm of entries and of conversion; over the last two days the rate creeps away by `change`."""
    starts = shop.hours(days)
    rhythm = 1 + 0.2 * np.sin(2 * np.pi * starts / 86_400)
    creeping = np.interp(starts, [shop.now - 2 * 86_400, shop.now], [1.0, 1 + change])
    rates = 0.3 * rhythm * creeping * np.exp(shop.random.normal(0, noise, len(starts)))
    return shop.funnel(starts, per_hour * (2 - rhythm), rates)


def drifts(shop, series: FunnelSeries, options: DriftOptions = OPTIONS):
    return conversion_drifts(series, horizon_seconds=120.0, now=shop.now, options=options)


@pytest.mark.parametrize("change", [-0.2, 0.2])
def test_a_rate_that_creeps_away_over_two_days_is_found_down_or_up(shop, change: float) -> None:
    found = drifts(shop, drifting(shop, change))
    assert len(found) == 1
    assert np.sign(found[0].change) == np.sign(change)
    assert 0.3 * abs(change) < abs(found[0].change) < abs(change)
    assert found[0].score >= found[0].threshold
    assert shop.now - 2.5 * 86_400 < found[0].began_at < shop.now - 86_400
    assert found[0].entries > 10_000


def test_a_steady_rate_with_its_daily_rhythm_does_not_drift_even_where_hours_vary_beyond_chance(shop) -> None:
    for noise in (0.0, 0.05):
        assert all(drifts(shop, drifting(shop, 0.0, noise=noise)) == [] for _ in range(15))


def test_a_week_is_enough_and_less_or_hardly_any_traffic_is_too_little_to_say(shop) -> None:
    assert len(drifts(shop, drifting(shop, -0.25, days=7)) or []) == 1
    assert drifts(shop, drifting(shop, -0.25, days=5)) is None
    assert drifts(shop, drifting(shop, -0.25, per_hour=3)) is None
    assert drifts(shop, shop.funnel(np.array([]), 1.0, 0.3)) is None


def test_a_drift_that_has_gone_is_no_longer_told(shop) -> None:
    starts = shop.hours(21)
    dipped = np.where((starts > shop.now - 60 * 3600) & (starts < shop.now - 36 * 3600), 0.24, 0.3)
    assert drifts(shop, shop.funnel(starts, 1000.0, dipped)) == []


def test_fewer_false_alarms_ask_for_more_evidence(shop) -> None:
    series = drifting(shop, -0.2)
    found = drifts(shop, series)[0]
    assert drifts(shop, series, DriftOptions(hours_between_false_alarms=np.exp(found.score - 1))) == [
        replace(found, threshold=pytest.approx(found.score - 1))
    ]
    assert drifts(shop, series, DriftOptions(hours_between_false_alarms=np.exp(found.score + 1))) == []
