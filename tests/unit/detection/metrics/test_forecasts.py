"""A metric that will probably reach a limit is forecast, unless it comes and goes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.metrics.forecasts import MetricLimit, forecast_findings, is_within_reach, limit_recovery
from detection.metrics.habits import comes_and_goes
from detection.metrics.series import MetricOptions
from detection.recovery import RecoveryState
from detection.types import Finding, ForecastDetails, MetricSeries
from tests.finding_details import details_as

NOW, HOUR, MINUTE, DAY = 1_770_465_600.0, 3600.0, 60.0, 86_400.0
OPTIONS = MetricOptions()


def series(starts: np.ndarray, means: np.ndarray, spread: float = 0.0) -> MetricSeries:
    return MetricSeries(
        "depth", "shop", starts, means, np.full(len(starts), 6), lows=means - spread, highs=means + spread
    )


def disk(per_hour: float) -> MetricSeries:
    starts = np.arange(NOW - 6 * HOUR, NOW, 5 * MINUTE)
    level = 85 + per_hour * (starts - NOW) / HOUR
    means = level + np.random.default_rng(1).normal(0, 0.1, len(starts))
    return MetricSeries("disk_used_percent", "shop", starts, means, np.full(len(starts), 6))


def forecasts(disk: MetricSeries, threshold: float = 100.0) -> list[Finding]:
    return forecast_findings(
        [disk],
        [MetricLimit("disk_used_percent", "shop", threshold)],
        now=NOW,
        options=OPTIONS,
        random=np.random.default_rng(1),
    )


def climb(teeth: bool) -> tuple[MetricSeries, MetricSeries]:
    """Return fine and hourly buckets of a queue that grows; with `teeth` it is emptied every four hours at 80."""
    at = np.arange(NOW - 2 * DAY, NOW, MINUTE)
    age = (at - NOW) / HOUR
    values = 75 + 15 * age
    values = 20 + 15 * ((age + 3.67 + 400) % 4) if teeth else np.maximum(values, 5)
    starts = at[::60]
    blocks = values.reshape(-1, 60)
    coarse = MetricSeries("depth", "shop", starts, blocks.mean(axis=1), np.full(len(starts), 60),
                          lows=blocks.min(axis=1), highs=blocks.max(axis=1))  # fmt: skip
    return series(at[-180:], values[-180:]), coarse


def test_a_disk_that_will_be_full_in_three_hours_is_a_finding_with_the_crossing_time() -> None:
    [finding] = forecasts(disk(per_hour=5.0))
    details = details_as(ForecastDetails, finding)
    early, middle, late = details.crossing_earliest, details.crossing_at, details.crossing_latest

    assert finding.observed == pytest.approx(85, abs=0.7)
    assert finding.expected == 100.0
    assert isinstance(early, float)
    assert isinstance(middle, float)
    assert isinstance(late, float)
    assert early < middle < late
    assert middle == pytest.approx(NOW + 3 * HOUR, abs=10 * MINUTE)
    assert finding.fingerprint == "custom_metric:metric:shop:disk_used_percent:limit=100"


def test_a_disk_that_fills_in_two_days_or_empties_is_no_finding() -> None:
    assert forecasts(disk(per_hour=0.3)) == []
    assert forecasts(disk(per_hour=-5.0)) == []


def test_a_limit_for_a_missing_metric_is_ignored() -> None:
    assert (
        forecast_findings([], [MetricLimit("x", "y", 1)], now=NOW, options=OPTIONS, random=np.random.default_rng(1))
        == []
    )


@pytest.mark.parametrize(("teeth", "count"), [(False, 1), (True, 0)])
def test_a_queue_that_is_emptied_repeatedly_gives_no_forecast(teeth: bool, count: int) -> None:
    fine, coarse = climb(teeth)
    limit = MetricLimit("depth", "shop", 100.0)
    random = np.random.default_rng(1)
    found = forecast_findings([fine], [limit], now=NOW, options=OPTIONS, random=random, baseline=[coarse])
    assert len(found) == count
    assert comes_and_goes(70.0, coarse, now=NOW) is teeth


def test_a_reached_limit_is_reported_however_often_it_was_reached_before() -> None:
    fine, coarse = climb(teeth=True)
    limit = MetricLimit("depth", "shop", 60.0)
    found = forecast_findings(
        [fine], [limit], now=NOW, options=OPTIONS, random=np.random.default_rng(1), baseline=[coarse]
    )
    assert len(found) == 1


def test_a_limit_far_beyond_the_range_of_the_metric_is_out_of_reach() -> None:
    one = np.ones(1)
    above = np.array([True])
    assert is_within_reach(90 * one, 95 * one, 94 * one, 100 * one, above)[0]
    assert not is_within_reach(93 * one, 94 * one, 94 * one, 100 * one, above)[0]
    assert is_within_reach(5 * one, 9 * one, 6 * one, 0 * one, ~above)[0]
    assert is_within_reach(100 * one, 100 * one, 100 * one, 100 * one, above)[0]


def test_limit_recovery_is_forecast_from_the_buckets_since_the_fix() -> None:
    fine, _ = climb(teeth=False)
    limit = MetricLimit("depth", "shop", 100.0)
    random = np.random.default_rng(1)
    [finding] = forecast_findings([fine], [limit], now=NOW, options=OPTIONS, random=random)

    def again(later: MetricSeries, since: float) -> RecoveryState:
        return limit_recovery(finding, [later], limit, since=since, options=OPTIONS, random=random).state

    flat = replace(fine, means=np.full(len(fine.means), 40.0) + np.random.default_rng(1).normal(0, 1, len(fine.means)))
    assert again(fine, NOW - 30 * MINUTE) is RecoveryState.STILL_BROKEN
    assert again(flat, NOW - 30 * MINUTE) is RecoveryState.RECOVERED
    assert again(flat, NOW - 5 * MINUTE) is RecoveryState.INSUFFICIENT_DATA
