from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.metrics.findings import MetricLimit, MetricOptions, forecast_findings, metric_findings
from detection.metrics.habits import comes_and_goes, is_habit
from detection.metrics.standings import MetricState, is_within_reach, level_recovery, limit_recovery, metric_standings
from detection.recovery import RecoveryState
from detection.types import MetricSeries

NOW, HOUR, MINUTE, DAY = 1_770_465_600.0, 3600.0, 60.0, 86_400.0
OPTIONS = MetricOptions()


def series(starts: np.ndarray, means: np.ndarray, spread: float = 0.0) -> MetricSeries:
    return MetricSeries(
        "depth", "shop", starts, means, np.full(len(starts), 6), lows=means - spread, highs=means + spread
    )


def hours(level: float = 100.0, days: float = 7.0) -> MetricSeries:
    starts = np.arange(NOW - days * DAY, NOW, HOUR)
    return series(starts, level + np.random.default_rng(1).normal(0, 1, len(starts)), 3.0)


def minutes(last: float = 100.0, count: int = 5) -> MetricSeries:
    starts = np.arange(NOW - 3 * HOUR, NOW, MINUTE)
    means = 100 + np.random.default_rng(2).normal(0, 2, len(starts))
    means[-count:] += last - 100
    return series(starts, means)


def state(fine: MetricSeries, coarse: MetricSeries) -> MetricState:
    [standing] = metric_standings([fine], [coarse], now=NOW, options=OPTIONS).values()
    return standing.state


def test_a_metric_is_ok_unusual_or_has_insufficient_data() -> None:
    assert state(minutes(), hours()) is MetricState.OK
    assert state(minutes(300), hours()) is MetricState.UNUSUAL
    assert state(minutes(300), hours(days=0.1)) is MetricState.INSUFFICIENT_DATA
    silent = replace(minutes(), bucket_starts=minutes().bucket_starts - HOUR)
    assert state(silent, hours()) is MetricState.INSUFFICIENT_DATA
    assert metric_standings([], [hours()], now=NOW, options=OPTIONS)["shop", "depth", ""].latest is not None


def test_a_metrics_state_is_unusual_exactly_when_it_is_a_finding() -> None:
    for last in range(60, 200, 7):
        fine = minutes(last)
        found = metric_findings([fine], [hours()], now=NOW, options=OPTIONS)
        assert (state(fine, hours()) is MetricState.UNUSUAL) == bool(found), last


def bursts(every_days: int) -> MetricSeries:
    coarse = hours()
    age = np.round((NOW - coarse.bucket_starts) / HOUR)
    assert coarse.highs is not None
    return replace(coarse, highs=np.where((age % (24 * every_days)) == 0, 400.0, coarse.highs))


def test_a_burst_at_about_the_same_time_of_other_days_is_a_habit() -> None:
    assert metric_findings([minutes(400)], [bursts(1)], now=NOW, options=OPTIONS) == []
    assert len(metric_findings([minutes(400)], [bursts(7)], now=NOW, options=OPTIONS)) == 1
    assert len(metric_findings([minutes(900)], [bursts(1)], now=NOW, options=OPTIONS)) == 1


def test_a_habit_is_limited_to_its_time_of_day_and_direction() -> None:
    run = np.full(5, 400.0)
    assert is_habit(run, 100.0, bursts(1), now=NOW)
    assert is_habit(run, 100.0, bursts(1), now=NOW + 2 * HOUR)
    assert not is_habit(run, 100.0, bursts(1), now=NOW + 8 * HOUR)
    assert not is_habit(np.full(5, -200.0), 100.0, bursts(1), now=NOW)
    assert not is_habit(run, 100.0, replace(bursts(1), lows=None, highs=None), now=NOW)


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


@pytest.mark.parametrize(
    ("last", "count", "since", "expected"),
    [
        (100, 5, 10, RecoveryState.RECOVERED),
        (300, 5, 3, RecoveryState.STILL_BROKEN),
        (300, 2, 3, RecoveryState.INSUFFICIENT_DATA),
        (100, 5, 2, RecoveryState.INSUFFICIENT_DATA),
    ],
)
def test_level_recovery_is_tested_on_the_buckets_since_the_fix(
    last: float, count: int, since: int, expected: RecoveryState
) -> None:
    [finding] = metric_findings([minutes(300)], [hours()], now=NOW, options=OPTIONS)
    found = level_recovery(
        finding, [minutes(last, count)], [hours()], since=NOW - since * MINUTE, now=NOW, options=OPTIONS
    )
    assert found.state is expected


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
