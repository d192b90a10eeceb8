"""The cost of a drop counts from its onset, with the usual traffic of the days before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.funnels.finding_stakes import with_stakes
from detection.funnels.findings import funnel_findings
from detection.options import FunnelOptions
from detection.types import FunnelDefinition, FunnelDropDetails
from tests.finding_details import details_as
from tests.unit.detection.conftest import Shop


def test_the_stakes_of_a_drop_are_users_per_hour_and_revenue_per_day_with_bounds(
    shop: Shop, signup: FunnelDefinition
) -> None:
    starts = shop.tens(shop.now - 7200, shop.now)
    fine = shop.funnel(starts, 20.0, np.where(starts >= shop.now - 900, 0.2, 0.3), until=shop.now)
    past = shop.funnel(shop.hours(), 7200.0, 0.3)
    (drop,) = funnel_findings([fine], [past], signup, now=shop.now, options=FunnelOptions())

    funnel = replace(signup, value_per_conversion=50.0, currency="EUR")
    stakes = details_as(FunnelDropDetails, with_stakes(drop, fine, past, funnel)).stakes

    assert stakes is not None
    assert stakes.entries_an_hour.value == pytest.approx(7200, rel=0.06)
    assert stakes.affected_an_hour.value == pytest.approx(720, rel=0.2)
    assert stakes.affected_users.value == pytest.approx(0.1 * stakes.entries, rel=0.2)
    assert stakes.conversions_a_day.value == pytest.approx(0.1 * 7200 * 24, rel=0.2)
    assert stakes.revenue_a_day is not None
    assert stakes.revenue_a_day.value == pytest.approx(50 * stakes.conversions_a_day.value)
    assert stakes.currency == "EUR"
    for estimate in (stakes.affected_users, stakes.affected_an_hour, stakes.revenue_a_day):
        assert estimate.low < estimate.value < estimate.high
    without_value = details_as(FunnelDropDetails, with_stakes(drop, fine, past, signup)).stakes
    assert without_value is not None
    assert without_value.revenue_a_day is None


def test_without_entries_since_the_onset_no_stakes_are_added(shop: Shop, signup: FunnelDefinition) -> None:
    starts = shop.tens(shop.now - 7200, shop.now)
    fine = shop.funnel(starts, 20.0, np.where(starts >= shop.now - 900, 0.1, 0.3), until=shop.now)
    past = shop.funnel(shop.hours(), 7200.0, 0.3)
    (drop,) = funnel_findings([fine], [past], signup, now=shop.now, options=FunnelOptions())
    empty = shop.funnel(np.array([]), 1.0, 0.3)
    assert with_stakes(drop, empty, past, signup) == drop
