from __future__ import annotations

import numpy as np
import pytest

from detection.triage import Context, Decision, Firing, QuietWindow, RecentChange, triage
from detection.types import Severity

HOUR = 3600.0


def _climb(seed: int) -> tuple[Firing, Context]:
    """Return something that climbs to its limit in every sample, with whatever else speaks against waking somebody."""
    random = np.random.default_rng(seed)
    count = int(random.integers(4, 16 if seed % 2 else 110))
    times = np.sort(random.choice(np.arange(60, 3600, 30), count, replace=False)).astype(float)
    shares = np.sort(random.uniform(0.35, 0.98, count)) ** random.uniform(0.8, 1.5)
    shares = np.linspace(shares[0], 0.985, count) * 0.7 + np.linspace(0.2, 0.985, count) * 0.3
    metric, full = [("memory_pct", 100.0), ("disk_usage_pct", 100.0), ("open_fds", 65_536.0)][seed % 3]
    values = shares * full
    middle = count // 2
    firing = Firing(
        "a",
        "shop",
        metric,
        list(Severity)[int(random.integers(1, 4))],
        times[middle],
        value=float(values[middle]),
        threshold=float(values[middle] * 0.99),
        fired_last_hour=int(random.integers(1, 20)),
        healed_after_seconds=float(random.uniform(20, 90)) if random.random() < 0.5 else None,
        signature="p",
        signature_change=float(random.uniform(0, 0.2)),
        signature_is_bad=bool(random.random() < 0.5),
        deploy_version="shop-9" if random.random() < 0.5 else None,
        times=times,
        values=values,
    )
    changes = (RecentChange("shop", "shop-9", times[middle] - 300.0),) if random.random() < 0.5 else ()
    return firing, Context(changes=changes)


@pytest.mark.parametrize("seed", range(150))
def test_a_climb_to_a_limit_is_never_left_to_the_morning(seed: int) -> None:
    firing, context = _climb(seed)
    (found,) = triage([firing], context, HOUR)
    assert found.decision is Decision.WAKE, (found, firing)


def _any(random: np.random.Generator, number: int) -> Firing:
    count = int(random.integers(0, 8))
    times = np.sort(random.uniform(0, HOUR, count))
    metric = str(random.choice(["error_rate", "cpu_pct", "queue_depth", "p99_latency_ms", "orders_per_minute"]))
    is_healed = random.random() < 0.4
    return Firing(
        f"f{number}",
        str(random.choice(["shop", "cart", "db", "edge"])),
        metric,
        list(Severity)[int(random.integers(0, 4))],
        float(random.uniform(0, HOUR)),
        value=float(random.uniform(0.1, 2)),
        threshold=1.0,
        fired_last_hour=int(random.integers(1, 12)),
        healed_after_seconds=float(random.uniform(10, 600)) if is_healed else None,
        signature=str(random.choice(["p1", "p2", "p3"])) if random.random() < 0.6 else None,
        signature_change=float(random.uniform(-0.5, 9)),
        signature_is_bad=bool(random.random() < 0.5),
        times=times,
        values=random.uniform(0, 2, count),
    )


@pytest.mark.parametrize("seed", range(60))
def test_each_firing_has_one_answer_and_what_joins_a_firing_joins_one_that_wakes(seed: int) -> None:
    random = np.random.default_rng(seed)
    firings = [_any(random, number) for number in range(int(random.integers(1, 25)))]
    found = triage(firings, Context(windows=(QuietWindow("w", 0.0, 900.0, frozenset({"db"})),)), HOUR)
    assert [one.firing_id for one in found] == [one.firing_id for one in firings]
    woken = {one.firing_id for one in found if one.decision is Decision.WAKE}
    assert all(one.joins in woken for one in found if one.joins is not None)
    assert all(one.reason for one in found)


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_the_firings_does_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    firings = [_any(random, number) for number in range(12)]
    there = {one.firing_id: one.decision for one in triage(firings, Context(), HOUR)}
    back = {one.firing_id: one.decision for one in triage(firings[::-1], Context(), HOUR)}
    assert there == back


def test_samples_that_are_no_numbers_do_no_harm() -> None:
    times, values = np.array([1.0, 2.0, np.nan, 4.0]), np.array([np.nan, np.inf, 1.0, 2.0])
    (found,) = triage([Firing("a", None, "x", None, 1.0, times=times, values=values)], Context(), HOUR)
    assert found.decision is Decision.WAKE
