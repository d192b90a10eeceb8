"""The screening of custom metrics misses no finding of a full read, and reads little."""

from __future__ import annotations

from typing import cast

import numpy as np

from detection.metrics.findings import MetricLimit, MetricOptions, key_of, metric_findings
from detection.types import MetricSeries
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS, MetricLevels, TelemetryStore
from workers.memory.metrics import MetricMemory

NOW, HOUR, MINUTE = 1_770_465_600.0, 3600.0, 60.0
OPTIONS = MetricOptions(anomaly_threshold=6, consecutive_strikes=5, minimum_change=0.25, minimum_baseline_hours=24)


class Store:
    """Holds series and counts the buckets read."""

    def __init__(self, fine: list[MetricSeries], coarse: list[MetricSeries]) -> None:
        self.held = {FINE_METRIC_SECONDS: fine, COARSE_SECONDS: coarse}
        self.read = 0

    def metric_levels(self, *, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        rows, starts, means = [], [], []
        series = self.held[bucket_seconds]
        for row, one in enumerate(series):
            inside = (one.bucket_starts >= since) & (one.bucket_starts < until)
            rows += [row] * int(inside.sum())
            starts += one.bucket_starts[inside].tolist()
            means += one.means[inside].tolist()
        order = np.argsort(starts, kind="stable")
        self.read += len(rows)
        return MetricLevels(
            [key_of(one) for one in series],
            np.array(rows, dtype=np.int64)[order],
            np.array(starts)[order],
            np.array(means)[order],
        )


def wild(count: int, seed: int) -> tuple[list[MetricSeries], list[MetricSeries]]:
    """Return varied series: some leave their level, some are sparse, some are new."""
    random = np.random.default_rng(seed)
    fine, coarse = [], []
    for number in range(count):
        level, rhythm = 10 ** random.uniform(0, 3), random.uniform(0, 0.5)
        hours = np.arange(NOW - (168 if number % 7 else 30) * HOUR, NOW, HOUR)
        minutes = np.arange(NOW - 3 * HOUR, NOW, MINUTE * (1 if number % 5 else 4))
        means = level * (1 - rhythm * np.cos(minutes * 2 * np.pi / 86_400)) * random.normal(1, 0.05, len(minutes))
        if number % 3 == 0:
            means[-int(random.integers(1, 9)) :] *= random.choice([0.0, 0.5, 1.5, 4.0])
        usual = level * (1 - rhythm * np.cos(hours * 2 * np.pi / 86_400)) * random.normal(1, 0.02, len(hours))
        name = f"metric.{number}"
        fine.append(MetricSeries(name, "shop", minutes, means, np.ones(len(minutes), dtype=np.int64)))
        coarse.append(MetricSeries(name, "shop", hours, usual, np.full(len(hours), 60)))
    return fine, coarse


def unusual(memory: MetricMemory, store: Store, now: float, broken: tuple[str, ...] = ()) -> set[tuple[str, str, str]]:
    found = memory.unusual(cast("TelemetryStore", store), now=now, options=OPTIONS, broken=broken, most=10_000)
    return set(found)


def test_the_suspects_include_every_finding_of_a_full_read_and_few_others() -> None:
    fine, coarse = wild(300, seed=1)
    store, memory = Store(fine, coarse), MetricMemory()
    for minutes_ago in range(8, 0, -1):
        unusual(memory, store, NOW - minutes_ago * MINUTE)  # The memory reads the past step by step.
    suspects = unusual(memory, store, NOW + 5)
    found = {key_of(one) for one in fine if metric_findings([one], [coarse[fine.index(one)]], now=NOW, options=OPTIONS)}
    assert len(found) > 10
    assert found <= suspects
    assert len(suspects) < 100


def test_a_minute_is_checked_once_and_reads_a_few_buckets_per_series() -> None:
    fine, coarse = wild(50, seed=2)
    store, memory = Store(fine, coarse), MetricMemory()
    for minutes_ago in range(8, 0, -1):
        unusual(memory, store, NOW - minutes_ago * MINUTE)
    store.read = 0
    unusual(memory, store, NOW + 5)
    assert store.read <= 50 * 6
    store.read = 0
    assert unusual(memory, store, NOW + 15) == set()
    assert store.read == 0


def test_a_series_of_an_incident_is_always_read_in_full() -> None:
    fine, coarse = wild(20, seed=3)
    memory = MetricMemory()
    suspects = unusual(memory, Store(fine, coarse), NOW + 5, ("custom_metric:metric:shop:metric.1", "alert:alert:x"))
    assert ("shop", "metric.1", "") in suspects


def test_only_limits_within_reach_are_forecast_a_few_at_a_time_nearest_first() -> None:
    fine, coarse = wild(4, seed=4)
    memory = MetricMemory()
    unusual(memory, Store(fine, coarse), NOW + 5)
    newest = {one.name: float(one.means[-1]) for one in fine}
    limits = [
        MetricLimit(name, "shop", value * (1.02 + 0.02 * place), horizon_seconds=6 * HOUR)
        for place, (name, value) in enumerate(newest.items())
    ]
    far = MetricLimit("metric.1", "shop", 1e9, horizon_seconds=6 * HOUR)
    unknown = MetricLimit("metric.99", "shop", 1.0)

    def taken(now: float) -> list[MetricLimit]:
        return memory.worth_forecasting([*limits, far, unknown], now=now, every_seconds=300, most=2)

    first, second = taken(NOW), taken(NOW + 10)
    assert len(first) == 2
    assert {limit.name for limit in first + second} == set(newest)
    assert far not in first + second
    assert taken(NOW + 20) == []
    assert len(taken(NOW + 301)) == 2


def test_series_that_are_gone_are_forgotten_and_the_others_are_judged_as_before() -> None:
    fine, coarse = wild(60, seed=5)
    memory, before = MetricMemory(), Store(fine, coarse)
    for minutes_ago in range(20, 0, -1):
        unusual(memory, before, NOW - minutes_ago * MINUTE)
    after = Store(fine[:10], coarse[:10])
    later = NOW + 200 * HOUR
    for minutes_ago in range(200, 0, -1):
        unusual(memory, after, later - minutes_ago * MINUTE)
    assert memory.keys() == []
    fresh = MetricMemory()
    for minutes_ago in range(28, -1, -1):
        found, expected = (unusual(one, before, NOW + 30 - minutes_ago * MINUTE) for one in (memory, fresh))
    assert found == expected
    assert found
