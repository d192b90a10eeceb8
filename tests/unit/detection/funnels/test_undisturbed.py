"""Hours in which something was broken are left out, unless too little history would remain."""

from __future__ import annotations

from detection.funnels.undisturbed import undisturbed
from tests.unit.detection.conftest import Shop


def test_hours_that_overlap_a_broken_period_are_left_out(shop: Shop) -> None:
    series = shop.funnel(shop.hours(7), 100.0, 0.3)
    began, ended = shop.now - 50 * 3600 + 1800, shop.now - 48 * 3600 + 60
    kept = undisturbed(series, [(began, ended)])
    gone = sorted(set(series.bucket_starts.tolist()) - set(kept.bucket_starts.tolist()))
    assert gone == [shop.now - hours * 3600 for hours in (50, 49, 48)]
    assert len(kept.entries) == len(kept.reached) == len(kept.converted_by_delay) == len(kept.bucket_starts)


def test_no_hours_are_left_out_if_less_than_a_day_would_remain(shop: Shop) -> None:
    series = shop.funnel(shop.hours(7), 100.0, 0.3)
    assert undisturbed(series, [(shop.now - 6.5 * 86_400, shop.now)]) is series
    assert undisturbed(series, []) is series
