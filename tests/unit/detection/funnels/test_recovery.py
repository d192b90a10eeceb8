from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.funnels.findings import funnel_findings, funnel_rises
from detection.funnels.recovery import funnel_recovery
from detection.options import FunnelOptions
from detection.recovery import Recovery, RecoveryState
from detection.types import Finding, FunnelDefinition, FunnelSeries, Metric
from tests.unit.detection.conftest import Shop

FUNNEL = FunnelOptions()
BREAK, FIX = 900.0, 300.0
"""Seconds before now at which the shops of these tests break and are fixed."""


def funnel_past(shop: Shop) -> list[FunnelSeries]:
    return [shop.funnel(shop.hours(until=shop.now - 3600), 7200, 0.3)]


def funnel_story(
    shop: Shop, signup: FunnelDefinition, after: float, *, entries: float = 20.0
) -> tuple[Finding, list[FunnelSeries]]:
    """Draw a conversion rate of 30 % that fell to 10 % and is `after` since the fix; return the finding and series."""
    starts = shop.tens(shop.now - 7200, shop.now)
    rate = np.where(starts >= shop.now - FIX, after, np.where(starts >= shop.now - BREAK, 0.1, 0.3))
    series = [shop.funnel(starts, np.where(starts >= shop.now - FIX, entries, 20.0), rate, until=shop.now)]
    then = shop.now - FIX
    before = [shop.funnel(starts[starts < then], 20.0, rate[starts < then], until=then)]
    found = funnel_findings(before, funnel_past(shop), signup, now=then, options=FUNNEL)
    return found[0], series


def judged(shop: Shop, finding: Finding, series: list[FunnelSeries]) -> Recovery:
    return funnel_recovery(finding, series, funnel_past(shop), since=shop.now - FIX, now=shop.now, options=FUNNEL)


def test_a_conversion_rate_back_at_normal_has_recovered_with_before_during_and_after(
    shop: Shop, signup: FunnelDefinition
) -> None:
    result = judged(shop, *funnel_story(shop, signup, 0.3))
    assert result.state is RecoveryState.RECOVERED
    assert result.metric is Metric.CONVERSION_RATE
    assert result.before == pytest.approx(0.3, abs=0.02)
    assert result.during == pytest.approx(0.1, abs=0.03)
    assert result.after == pytest.approx(0.3, abs=0.05)
    assert result.recovered_share > 0.8
    assert result.normal_low <= result.before <= result.normal_high


def test_a_conversion_rate_that_stays_low_is_still_broken(shop: Shop, signup: FunnelDefinition) -> None:
    result = judged(shop, *funnel_story(shop, signup, 0.1))
    assert result.state is RecoveryState.STILL_BROKEN
    assert result.recovered_share < 0.2


def test_a_conversion_rate_half_way_back_is_not_recovered(shop: Shop, signup: FunnelDefinition) -> None:
    result = judged(shop, *funnel_story(shop, signup, 0.2))
    assert result.state is RecoveryState.STILL_BROKEN
    assert 0.2 < result.recovered_share < 0.8


def test_a_handful_of_entries_after_the_fix_is_insufficient_data(shop: Shop, signup: FunnelDefinition) -> None:
    result = judged(shop, *funnel_story(shop, signup, 0.3, entries=0.5))
    assert result.state is RecoveryState.INSUFFICIENT_DATA
    assert result.sample_size < 60


def test_entries_before_the_fix_do_not_change_the_state(shop: Shop, signup: FunnelDefinition) -> None:
    finding, series = funnel_story(shop, signup, 0.3)
    cut = series[0].bucket_starts >= shop.now - FIX
    whole, part = judged(shop, finding, series), judged(shop, finding, [series[0].only(cut)])
    assert (whole.state, whole.after, whole.sample_size) == (part.state, part.after, part.sample_size)


def risen(shop: Shop, signup: FunnelDefinition, after: float) -> tuple[RecoveryState, float]:
    starts = shop.tens(shop.now - 7200, shop.now)
    past = [shop.funnel(shop.hours(until=shop.now - 3600), 7200, 0.3)]
    rate = np.where(starts >= shop.now - 300, after, np.where(starts >= shop.now - 1200, 0.5, 0.3))
    then = starts < shop.now - 300
    before: list[FunnelSeries] = [shop.funnel(starts[then], 20.0, rate[then], until=shop.now - 300)]
    (rise,) = funnel_rises(before, past, signup, now=shop.now - 300, options=FUNNEL)
    series = [shop.funnel(starts, 20.0, rate, until=shop.now)]
    result = funnel_recovery(rise, series, past, since=shop.now - 300, now=shop.now, options=FUNNEL)
    return result.state, result.recovered_share


def test_a_rise_has_recovered_only_when_the_rate_is_normal_again(shop: Shop, signup: FunnelDefinition) -> None:
    assert risen(shop, signup, 0.5)[0] is RecoveryState.STILL_BROKEN
    state, share = risen(shop, signup, 0.3)
    assert state is RecoveryState.RECOVERED
    assert share > 0.8


def test_the_series_of_another_segment_is_ignored(shop: Shop, signup: FunnelDefinition) -> None:
    finding, series = funnel_story(shop, signup, 0.3)
    segment = [replace(one, dimension="device", value="ios") for one in series]
    for others in ([], segment):
        gone = judged(shop, finding, others)
        assert (gone.state, gone.after) == (RecoveryState.INSUFFICIENT_DATA, None)
    assert judged(shop, finding, [*segment, *series]).state is RecoveryState.RECOVERED
