from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from detection.statistics.baselines import hours_of_week, level_baseline, rate_baseline

WEEK = np.arange(168)


def moments(timezone: str, *local: tuple[int, int, int, int]) -> np.ndarray:
    return np.array([datetime(*moment, tzinfo=ZoneInfo(timezone)).timestamp() for moment in local])


def test_the_hour_of_the_week_follows_the_teams_wall_clock_across_a_clock_change() -> None:
    before_and_after = moments("Europe/Berlin", (2026, 3, 23, 9), (2026, 3, 30, 9))
    assert np.diff(before_and_after)[0] == 7 * 86_400 - 3600
    assert hours_of_week(before_and_after, "Europe/Berlin").tolist() == [9, 9]
    assert hours_of_week(before_and_after, "UTC").tolist() == [8, 7]


def test_the_week_begins_on_monday_midnight_also_in_a_half_hour_time_zone() -> None:
    assert hours_of_week(moments("Asia/Kolkata", (2026, 2, 2, 0), (2026, 2, 8, 23)), "Asia/Kolkata").tolist() == [
        0,
        167,
    ]


def test_a_flat_rate_is_estimated_from_all_hours_together() -> None:
    random = np.random.default_rng(1)
    converted = random.binomial(400, 0.3, (300, 168)).astype(float)
    fit = rate_baseline(converted, np.full((300, 168), 400.0), WEEK, 101)
    assert fit.rate.std() < 0.005
    assert fit.rate.mean() == pytest.approx(0.3, abs=0.001)
    assert np.median(fit.strength) > 5_000


def test_a_daily_rhythm_is_fitted_from_a_single_week() -> None:
    random = np.random.default_rng(2)
    truth = 0.2 + 0.1 * np.sin(2 * np.pi * (WEEK % 24) / 24)
    converted = random.binomial(400, np.tile(truth, (300, 1))).astype(float)
    for hour in (6, 18 + 24, 3 + 48):
        fit = rate_baseline(converted, np.full((300, 168), 400.0), WEEK, hour)
        assert fit.rate.mean() == pytest.approx(truth[hour], abs=0.006)


def test_past_incidents_do_not_change_the_baseline() -> None:
    random = np.random.default_rng(3)
    converted = random.binomial(400, 0.3, (200, 168)).astype(float)
    clean = rate_baseline(converted, np.full((200, 168), 400.0), WEEK, 101)
    converted[:, 98:104] = random.binomial(400, 0.12, (200, 6))
    hurt = rate_baseline(converted, np.full((200, 168), 400.0), WEEK, 101)
    assert hurt.rate.mean() == pytest.approx(clean.rate.mean(), abs=0.003)
    assert hurt.hours.mean() == pytest.approx(162, abs=0.5)


def test_overdispersed_hours_make_the_baseline_weaker() -> None:
    random = np.random.default_rng(4)
    steady = random.binomial(400, 0.3, (200, 168)).astype(float)
    restless = random.binomial(400, random.beta(30, 70, (200, 168))).astype(float)
    trials = np.full((200, 168), 400.0)
    calm, wild = rate_baseline(steady, trials, WEEK, 10), rate_baseline(restless, trials, WEEK, 10)
    assert np.median(wild.strength) == pytest.approx(100, rel=0.5)
    assert np.median(calm.strength) > 20 * np.median(wild.strength)
    assert np.mean((wild.low <= 0.3) & (wild.high >= 0.3)) > 0.95


def test_a_series_without_conversions_or_entries_has_a_finite_baseline() -> None:
    trials = np.vstack([np.full(168, 50.0), np.zeros(168)])
    fit = rate_baseline(np.zeros((2, 168)), trials, WEEK, 0)
    assert np.all(np.isfinite([fit.rate, fit.strength, fit.low, fit.high]))
    assert fit.rate[0] < 0.001


def test_a_level_follows_the_hour_of_the_day_and_outliers_are_winsorised() -> None:
    random = np.random.default_rng(5)
    truth = 4.0 + 0.3 * np.sin(2 * np.pi * (WEEK % 24) / 24)
    levels = truth + random.normal(0, 0.05, (200, 168))
    levels[:, 78] = 9.0
    fit = level_baseline(levels, np.ones((200, 168), dtype=bool), WEEK, 78)
    assert fit.level.mean() == pytest.approx(truth[78], abs=0.15)
    assert level_baseline(levels, np.ones((200, 168), dtype=bool), WEEK, 18).level.mean() == pytest.approx(
        truth[18], abs=0.03
    )
    assert np.median(fit.spread) < 0.15


def test_an_hour_that_differs_every_day_is_a_rhythm_and_not_an_outlier() -> None:
    random = np.random.default_rng(6)
    rate, level = np.where(WEEK % 24 == 4, 0.05, 0.3), np.where(WEEK % 24 == 4, 6.0, 3.0)
    converted = random.binomial(400, np.tile(rate, (100, 1))).astype(float)
    assert rate_baseline(converted, np.full((100, 168), 400.0), WEEK, 100).rate.mean() == pytest.approx(0.05, abs=0.01)
    assert rate_baseline(converted, np.full((100, 168), 400.0), WEEK, 99).rate.mean() == pytest.approx(0.3, abs=0.01)
    levels = level + random.normal(0, 0.05, (100, 168))
    known = np.ones((100, 168), dtype=bool)
    assert level_baseline(levels, known, WEEK, 100).level.mean() == pytest.approx(6.0, abs=0.05)
    assert level_baseline(levels, known, WEEK, 99).spread.mean() == pytest.approx(0.05, abs=0.02)


def test_with_a_single_day_all_hours_have_the_same_level() -> None:
    levels = np.full((1, 24), 3.0)
    levels[0, 7] = 9.0
    fit = level_baseline(levels, np.ones((1, 24), dtype=bool), WEEK[:24], 7 + 24)
    assert fit.level[0] == pytest.approx(3.0, abs=0.1)


def test_unknown_hours_are_ignored() -> None:
    levels = np.full((1, 168), np.nan)
    known = np.zeros((1, 168), dtype=bool)
    levels[0, :30], known[0, :30] = 2.0, True
    assert level_baseline(levels, known, WEEK, 100).level.tolist() == pytest.approx([2.0])
