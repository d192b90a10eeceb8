"""Shops with a different conversion rate at weekends, healthy and broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.funnels import normal
from detection.funnels.drifts import DriftOptions, conversion_drifts
from detection.funnels.findings import funnel_findings, funnel_rises
from detection.funnels.normal import baseline_since
from detection.options import FunnelOptions
from detection.statistics.baselines import RateBaseline, hours_of_week, rate_baseline
from detection.types import Finding, Floats, FunnelSeries, Integers
from tests.benchmarks.simulated_funnels import (
    DAY_SECONDS,
    HORIZON_SECONDS,
    HOUR_SECONDS,
    WEEK_SECONDS,
    Break,
    Buckets,
    Shop,
    draw_buckets,
)

OPTIONS = FunnelOptions()
SHOP = Shop("quiet at weekends", (0.6, 0.5), weekend_rate=0.7)
MONDAY = 1_770_595_200.0
SATURDAY = MONDAY + 5 * DAY_SECONDS
SATURDAY_NOON = 5 * 24 + 12
FEW = 0.6
"""Entries per second; they bring about three hundred conversions in half an hour."""


def past_hours(
    days: int, entries: float, weekend_entries: float, rate: float, weekend_rate: float, series: int = 100
) -> tuple[Floats, Floats, Integers]:
    random, hours = np.random.default_rng(1), np.arange(days * 24) % 168
    trials = np.tile(np.where(hours >= 120, weekend_entries, entries), (series, 1))
    return random.binomial(trials.astype(int), np.where(hours >= 120, weekend_rate, rate)).astype(float), trials, hours


def found(shop: Shop, fine: Buckets, hours: Buckets, now: float) -> list[Finding]:
    recent = [fine.series(now - 2 * HOUR_SECONDS, now)]
    past = [hours.series(baseline_since(now - HOUR_SECONDS, OPTIONS.baseline_window_hours), now - HOUR_SECONDS)]
    return [
        one
        for detect in (funnel_findings, funnel_rises)
        for one in detect(recent, past, shop.funnel, now=now, options=OPTIONS)
    ]


@pytest.mark.parametrize("days", [7, 14, 28])
def test_a_quiet_weekend_that_always_converts_worse_gets_its_own_baseline(days: int) -> None:
    fit = rate_baseline(*past_hours(days, 1000, 100, 0.3, 0.2), SATURDAY_NOON)
    assert fit.rate.mean() == pytest.approx(0.2, abs=0.003)
    assert np.abs(fit.rate - 0.2).max() < 0.03
    assert np.mean((fit.low < 0.2) & (fit.high > 0.2)) > 0.9
    workday = rate_baseline(*past_hours(days, 1000, 100, 0.3, 0.2), 12)
    assert workday.rate.mean() == pytest.approx(0.3, abs=0.002)


def test_a_quiet_night_that_always_converts_worse_gets_its_own_baseline() -> None:
    random, hours = np.random.default_rng(2), np.arange(168)
    trials, rate = np.where(hours % 24 < 8, 100, 1000), np.where(hours % 24 < 8, 0.2, 0.3)
    converted = random.binomial(trials, rate, (100, 168)).astype(float)
    fit = rate_baseline(converted, np.tile(trials.astype(float), (100, 1)), hours, 3)
    assert fit.rate.mean() == pytest.approx(0.2, abs=0.01)


def test_a_weekend_with_its_own_daily_rhythm_is_fitted_from_neighbouring_hours() -> None:
    random, hours = np.random.default_rng(3), np.arange(168)
    hour = hours % 24
    truth = np.where(hours < 120, 0.3, np.where(hour < 12, 0.2, 0.3))
    converted = random.binomial(400, np.tile(truth, (100, 1))).astype(float)
    trials = np.full((100, 168), 400.0)
    assert rate_baseline(converted, trials, hours, 5 * 24 + 6).rate.mean() == pytest.approx(0.2, abs=0.012)
    assert rate_baseline(converted, trials, hours, 6 * 24 + 18).rate.mean() == pytest.approx(0.3, abs=0.012)
    assert rate_baseline(converted, trials, hours, 2 * 24 + 6).rate.mean() == pytest.approx(0.3, abs=0.012)


def test_more_weekend_data_make_the_weekend_baseline_narrower() -> None:
    def width(fit: RateBaseline) -> float:
        return float(np.mean(fit.high - fit.low))

    unseen = rate_baseline(*past_hours(5, 1000, 0, 0.3, 0.3), SATURDAY_NOON)
    once, four_times = (rate_baseline(*past_hours(days, 1000, 100, 0.3, 0.2), SATURDAY_NOON) for days in (7, 28))
    busy = rate_baseline(*past_hours(7, 1000, 1000, 0.3, 0.2), SATURDAY_NOON)
    assert width(unseen) > 3 * width(once)
    assert width(once) > 1.5 * width(four_times)
    assert width(once) > 1.5 * width(busy)
    assert np.all((unseen.low < 0.25) & (unseen.low > 0.2))


def test_one_bad_day_last_week_makes_the_baseline_weaker() -> None:
    random, hours = np.random.default_rng(4), np.arange(168)
    rate = np.where(hours // 24 == 2, 0.25, 0.3)
    converted, trials = random.binomial(1000, np.tile(rate, (50, 1))).astype(float), np.full((50, 168), 1000.0)
    uneven = rate_baseline(converted, trials, hours, 12)
    even = rate_baseline(random.binomial(1000, 0.3, (50, 168)).astype(float), trials, hours, 12)
    assert np.median(uneven.strength) < np.median(even.strength) / 5
    assert uneven.rate.mean() == pytest.approx(0.3, abs=0.005)


def test_the_same_hour_of_last_week_is_in_the_baseline_at_every_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    same_hour: list[float] = []

    def watched(converted: Floats, entries: Floats, hours: Integers, at: int) -> RateBaseline:
        same_hour.append(float(entries[0, hours == at].sum()))
        return rate_baseline(converted, entries, hours, at)

    random = np.random.default_rng(5)
    since = SATURDAY - WEEK_SECONDS - DAY_SECONDS
    hours = draw_buckets(random, SHOP, since=since, until=SATURDAY, entries_a_second=FEW, width=HOUR_SECONDS)
    fine = draw_buckets(random, SHOP, since=SATURDAY - 3 * HOUR_SECONDS, until=SATURDAY, entries_a_second=FEW)
    monkeypatch.setattr(normal, "rate_baseline", watched)
    for minute in range(60):
        now = SATURDAY - minute * 60.0
        past = [hours.series(baseline_since(now - HOUR_SECONDS, 168), now)]
        funnel_findings([fine.series(now - 2 * HOUR_SECONDS, now)], past, SHOP.funnel, now=now, options=OPTIONS)
    assert len(same_hour) >= 60
    assert min(same_hour) > 0


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin"])
def test_a_baseline_of_a_week_begins_with_the_same_hour_of_last_week_also_across_a_clock_change(timezone: str) -> None:
    changed = 1_774_746_000.0  # Sunday 2026-03-29 01:00 UTC
    for at in changed + np.arange(-DAY_SECONDS, 8 * DAY_SECONDS, 1800.0):
        starts = np.arange(baseline_since(float(at), 168), at - HOUR_SECONDS, HOUR_SECONDS)
        now = hours_of_week(np.array([at]), timezone)[0]
        left_out_by_the_clock = timezone == "Europe/Berlin" and now == 6 * 24 + 2
        assert now in hours_of_week(starts, timezone) or left_out_by_the_clock


def test_regularly_worse_weekends_give_no_finding_from_the_first_weekend_on() -> None:
    random = np.random.default_rng(6)
    until = MONDAY + 3 * WEEK_SECONDS
    fine = draw_buckets(random, SHOP, since=MONDAY, until=until, entries_a_second=FEW)
    hours = fine.hourly()
    weekends = [SATURDAY + week * WEEK_SECONDS + np.arange(0, 2.2 * DAY_SECONDS, 3600.0) for week in range(3)]
    ticks = [float(tick) for tick in np.concatenate(weekends) if tick < until]
    assert [one.fingerprint for tick in ticks for one in found(SHOP, fine, hours, tick)] == []


@pytest.mark.parametrize(("weekend", "left"), [(0, 0.5), (0, 0.0), (1, 0.7), (2, 0.7)])
def test_a_drop_by_half_is_found_in_the_first_weekend_and_by_a_third_from_the_second_on(
    weekend: int, left: float
) -> None:
    random = np.random.default_rng(7)
    noon = SATURDAY + weekend * WEEK_SECONDS + DAY_SECONDS / 2
    shop = replace(SHOP, weekend_rate=0.9)
    fine = draw_buckets(
        random, shop, since=MONDAY, until=noon + HOUR_SECONDS, entries_a_second=FEW, broken=Break(noon, 1, left)
    )
    now = noon + OPTIONS.recent_window_seconds + HORIZON_SECONDS + 20
    assert found(shop, fine, fine.hourly(), noon) == []
    assert [one.detector for one in found(shop, fine, fine.hourly(), now)] == ["funnel_conversion"]


@pytest.mark.parametrize("week", [1, 2])
def test_a_weekend_is_no_slow_drift(week: int) -> None:
    until = MONDAY + (week + 1) * WEEK_SECONDS
    hours = draw_buckets(
        np.random.default_rng(8), SHOP, since=MONDAY, until=until, entries_a_second=FEW, width=HOUR_SECONDS
    )
    for now in until - np.arange(0, 3 * DAY_SECONDS, 4 * HOUR_SECONDS):
        series = hours.series(float(now) - 10 * DAY_SECONDS - 2 * HOUR_SECONDS, float(now))
        assert drifts(series, float(now)) == []


def test_a_first_weekend_is_no_slow_drift_either() -> None:
    until = MONDAY + WEEK_SECONDS
    hours = draw_buckets(
        np.random.default_rng(9), SHOP, since=MONDAY, until=until, entries_a_second=FEW, width=HOUR_SECONDS
    )
    assert drifts(hours.series(MONDAY, until), until) == []


def drifts(series: FunnelSeries, now: float) -> object:
    return conversion_drifts(series, horizon_seconds=HORIZON_SECONDS, now=now, options=DriftOptions())
