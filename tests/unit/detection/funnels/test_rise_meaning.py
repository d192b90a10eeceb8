"""A rise is an improvement only if the usual number of users enters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.funnels.findings import funnel_rises
from detection.funnels.rise_meaning import read_rise, usual_entries
from detection.options import FunnelOptions
from detection.types import Finding, FunnelDefinition, FunnelRiseDetails
from tests.finding_details import details_as
from tests.unit.detection.conftest import Shop


def risen(shop: Shop, signup: FunnelDefinition, entries: float) -> Finding:
    """Find a rise from 30 % to 45 % in the last ten minutes, with `entries` per 10 s, where 20 are usual."""
    starts = shop.tens(shop.now - 7200, shop.now)
    lately = starts >= shop.now - 600
    fine = shop.funnel(starts, np.where(lately, entries, 20.0), np.where(lately, 0.45, 0.3), until=shop.now)
    past = shop.funnel(shop.hours(), 7200.0, 0.3)
    (rise,) = funnel_rises([fine], [past], signup, now=shop.now, options=FunnelOptions(recent_window_minutes=8))
    return read_rise(rise, past, timezone="UTC")


def test_a_rise_with_the_usual_entries_is_read_as_better(shop: Shop, signup: FunnelDefinition) -> None:
    assert details_as(FunnelRiseDetails, risen(shop, signup, 20.0)).reading == "better"


def test_a_rise_with_less_than_half_of_the_usual_entries_is_read_as_entries_missing(
    shop: Shop, signup: FunnelDefinition
) -> None:
    rise = risen(shop, signup, 8.0)
    details = details_as(FunnelRiseDetails, rise)
    assert details.reading == "entries_missing"
    assert details.usual_entries == pytest.approx(20 * (rise.window_end - rise.window_start) / 10, rel=0.05)


def test_a_rise_with_somewhat_fewer_entries_is_read_as_unclear(shop: Shop, signup: FunnelDefinition) -> None:
    assert details_as(FunnelRiseDetails, risen(shop, signup, 13.0)).reading == "unclear"


def test_the_usual_entries_follow_the_hour_of_the_day_and_a_quiet_weekend(shop: Shop) -> None:
    starts = shop.hours(14)
    nights = ((starts - shop.now) % 86_400) < 6 * 3600
    series = shop.funnel(starts, 100.0, 0.3)
    rhythm = replace(series, entries=np.where(nights, 200, 1000))
    assert usual_entries(rhythm, since=shop.now, until=shop.now + 1800, timezone="UTC") == 100
    assert usual_entries(rhythm, since=shop.now - 1800, until=shop.now + 1800, timezone="UTC") == 600
    week_ago = starts == shop.now - 7 * 86_400
    weekend = replace(series, entries=np.where(week_ago, 40, 1000))
    assert usual_entries(weekend, since=shop.now, until=shop.now + 3600, timezone="UTC") < 1000


def test_without_history_the_usual_entries_are_zero(shop: Shop) -> None:
    empty = shop.funnel(np.array([]), 1.0, 0.3)
    assert usual_entries(empty, since=shop.now, until=shop.now + 60, timezone="UTC") == 0.0
