from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detection.metrics.findings import MetricLimit, MetricOptions, forecast_findings, metric_findings
from detection.types import Finding, ForecastDetails, Metric, MetricSeries
from tests.finding_details import details_as

NOW = 1_770_465_600.0  # Saturday 2026-02-07 12:00:00 UTC
HOUR, MINUTE = 3600.0, 60.0
OPTIONS = MetricOptions()


def usual(at: np.ndarray) -> np.ndarray:
    """Return a level that is high at noon and low at midnight."""
    return np.asarray(100 - 40 * np.cos(2 * np.pi * at / 86_400))


def series(starts: np.ndarray, means: np.ndarray, name: str = "queue_depth") -> MetricSeries:
    return MetricSeries(name, "shop", starts, means, np.full(len(starts), 6))


def weeks_hours(days: float = 7.0, *, seed: int = 1) -> MetricSeries:
    starts = np.arange(NOW - days * 24 * HOUR, NOW, HOUR)
    return series(starts, usual(starts) + np.random.default_rng(seed).normal(0, 2, len(starts)))


def last_hours(change: float = 0.0, *, since: float = NOW, seed: int = 2) -> MetricSeries:
    starts = np.arange(NOW - 3 * HOUR, NOW, MINUTE)
    return series(
        starts, usual(starts) + np.random.default_rng(seed).normal(0, 3, len(starts)) + change * (starts >= since)
    )


def found(fine: MetricSeries, coarse: MetricSeries, options: MetricOptions = OPTIONS) -> list[Finding]:
    return metric_findings([fine], [coarse], now=NOW, options=options)


def test_a_metric_at_its_usual_level_is_no_finding() -> None:
    assert sum(len(found(last_hours(seed=seed), weeks_hours(seed=seed))) for seed in range(20)) == 0


@pytest.mark.parametrize("change", [120.0, -110.0])
def test_a_metric_that_left_its_level_is_a_finding_with_its_onset(change: float) -> None:
    [finding] = found(last_hours(change, since=NOW - 10 * MINUTE), weeks_hours())

    assert finding.metric is Metric.CUSTOM
    assert finding.fingerprint == "custom_metric:metric:shop:queue_depth"
    assert finding.expected == pytest.approx(140, abs=6)
    assert finding.observed == pytest.approx(140 + change, abs=6)
    assert finding.onset_at == pytest.approx(NOW - 10 * MINUTE, abs=MINUTE)
    assert finding.expected_low < finding.expected < finding.expected_high
    assert finding.p_value < 1e-4


def test_the_usual_level_of_noon_is_a_finding_at_midnight() -> None:
    midnight = NOW - 12 * HOUR
    starts = np.arange(midnight - 3 * HOUR, midnight, MINUTE)
    fine = series(starts, np.where(starts < midnight - 5 * MINUTE, usual(starts), 140.0))

    [finding] = metric_findings([fine], [weeks_hours()], now=midnight, options=OPTIONS)

    assert finding.expected == pytest.approx(60, abs=6)


def test_a_single_bucket_away_from_the_level_is_no_finding() -> None:
    assert found(last_hours(120, since=NOW - MINUTE), weeks_hours()) == []


def test_buckets_on_opposite_sides_of_the_level_are_no_finding() -> None:
    fine = last_hours()
    means = fine.means.copy()
    means[-3:] += np.array([120.0, -110.0, 120.0])

    assert found(replace(fine, means=means), weeks_hours()) == []


def test_an_ongoing_incident_does_not_become_the_usual_level() -> None:
    coarse = weeks_hours()
    means = coarse.means.copy()
    means[-1] += 120  # the hour in which it began is in the rollup already

    assert len(found(last_hours(120, since=NOW - 10 * MINUTE), replace(coarse, means=means))) == 1


def test_a_metric_that_is_silent_or_new_is_insufficient_data() -> None:
    fine = last_hours(120, since=NOW - 10 * MINUTE)
    silent = replace(fine, bucket_starts=fine.bucket_starts - HOUR)
    two_hours_old = weeks_hours(days=2.5 / 24)

    assert found(silent, weeks_hours()) == []
    assert found(fine, two_hours_old) == []
    assert metric_findings([fine], [], now=NOW, options=OPTIONS) == []
    assert metric_findings([], [], now=NOW, options=OPTIONS) == []


def test_two_metrics_of_a_service_are_two_subjects() -> None:
    fine, coarse = last_hours(120, since=NOW - 10 * MINUTE), weeks_hours()
    findings = metric_findings(
        [fine, replace(fine, name="workers")], [coarse, replace(coarse, name="workers")], now=NOW, options=OPTIONS
    )

    assert len({finding.fingerprint for finding in findings}) == 2


def disk(per_hour: float) -> MetricSeries:
    starts = np.arange(NOW - 6 * HOUR, NOW, 5 * MINUTE)
    level = 85 + per_hour * (starts - NOW) / HOUR
    return series(starts, level + np.random.default_rng(1).normal(0, 0.1, len(starts)), "disk_used_percent")


def forecasts(disk: MetricSeries, threshold: float = 100.0) -> list[Finding]:
    return forecast_findings(
        [disk],
        [MetricLimit("disk_used_percent", "shop", threshold)],
        now=NOW,
        options=OPTIONS,
        random=np.random.default_rng(1),
    )


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
