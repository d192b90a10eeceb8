from __future__ import annotations

import numpy as np
import pytest

from detection.endpoints.intervals import gathered_intervals, quantile
from detection.types import DURATION_EDGES_MS
from tests.unit.detection.conftest import Shop


def histogram(values: np.ndarray) -> np.ndarray:
    places = np.searchsorted(DURATION_EDGES_MS, values)
    return np.bincount(places, minlength=len(DURATION_EDGES_MS) + 1).astype(np.float64)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_quantile_is_within_a_bucket_width_of_the_true_quantile(share: float) -> None:
    values = np.random.default_rng(1).lognormal(np.log(40), 0.6, 50_000)
    assert quantile(histogram(values), share) == pytest.approx(np.quantile(values, share), rel=0.02)


def test_the_sum_of_two_histograms_equals_the_histogram_of_all_values() -> None:
    random = np.random.default_rng(2)
    first, second = random.lognormal(3, 0.5, 400), random.lognormal(5, 0.5, 100)
    both = np.concatenate([first, second])
    assert quantile(histogram(first) + histogram(second), 0.9) == quantile(histogram(both), 0.9)


def test_an_empty_histogram_has_quantile_zero_and_the_last_edge_is_the_maximum() -> None:
    empty = np.zeros(len(DURATION_EDGES_MS) + 1)
    beyond = empty.copy()
    beyond[-1] = 5
    assert quantile(empty, 0.95) == 0.0
    assert quantile(beyond, 0.95) == pytest.approx(DURATION_EDGES_MS[-1])


def test_fine_buckets_are_summed_into_wider_intervals(shop: Shop) -> None:
    series = shop.endpoint(shop.tens(shop.now - 120, shop.now), 20, 30.0)
    wide = gathered_intervals([series], since=shop.now - 120, until=shop.now, interval_seconds=30.0)
    assert wide.starts.tolist() == [shop.now - 120, shop.now - 90, shop.now - 60, shop.now - 30]
    assert wide.requests.sum() == series.request_count.sum()
    assert wide.requests[0, 0] == series.request_count[:3].sum()
    assert wide.durations.sum() == series.request_count.sum()
