from __future__ import annotations

import numpy as np
import pytest

from detection.endpoints.intervals import gathered_intervals, quantile
from detection.types import DURATION_EDGES_MS


def histogram(values: np.ndarray) -> np.ndarray:
    places = np.searchsorted(DURATION_EDGES_MS, values)
    return np.bincount(places, minlength=len(DURATION_EDGES_MS) + 1).astype(np.float64)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_a_quantile_is_within_the_width_of_a_bucket_of_the_true_one(share: float) -> None:
    values = np.random.default_rng(1).lognormal(np.log(40), 0.6, 50_000)
    assert quantile(histogram(values), share) == pytest.approx(np.quantile(values, share), rel=0.02)


def test_adding_histograms_up_is_the_histogram_of_everything() -> None:
    random = np.random.default_rng(2)
    first, second = random.lognormal(3, 0.5, 400), random.lognormal(5, 0.5, 100)
    both = np.concatenate([first, second])
    assert quantile(histogram(first) + histogram(second), 0.9) == quantile(histogram(both), 0.9)


def test_the_quantile_of_nothing_is_zero_and_beyond_the_last_edge_it_is_the_last_edge() -> None:
    empty = np.zeros(len(DURATION_EDGES_MS) + 1)
    beyond = empty.copy()
    beyond[-1] = 5
    assert quantile(empty, 0.95) == 0.0
    assert quantile(beyond, 0.95) == pytest.approx(DURATION_EDGES_MS[-1])


def test_fine_buckets_are_added_up_into_wider_intervals(shop) -> None:
    series = shop.endpoint(shop.tens(shop.now - 120, shop.now), 20, 30.0)
    wide = gathered_intervals([series], since=shop.now - 120, until=shop.now, interval_seconds=30.0)
    assert wide.starts.tolist() == [shop.now - 120, shop.now - 90, shop.now - 60, shop.now - 30]
    assert wide.requests.sum() == series.request_count.sum()
    assert wide.requests[0, 0] == series.request_count[:3].sum()
    assert wide.durations.sum() == series.request_count.sum()
