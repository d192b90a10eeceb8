from __future__ import annotations

import numpy as np
import pytest

from detection.metrics.surprise import WARM_UP, Surprises
from detection.types import Floats

ONE = np.zeros(1, dtype=np.int64)


def learnt(distances: Floats) -> Surprises:
    found = Surprises(1, 1)
    for distance in distances.tolist():
        found.learn(ONE, np.array([[distance]]))
    return found


def surprise(of: Surprises, distance: float) -> float:
    return float(of.of(ONE, np.array([[distance]]))[0, 0])


def test_a_distance_is_as_surprising_as_it_is_rare() -> None:
    known = learnt(np.abs(np.random.default_rng(1).standard_normal(3000)))
    assert surprise(known, 0.674) == pytest.approx(-np.log10(0.5), abs=0.05)
    assert surprise(known, 1.96) == pytest.approx(-np.log10(0.05), abs=0.15)
    assert surprise(known, 2.576) == pytest.approx(2.0, abs=0.3)


def test_beyond_the_largest_a_distance_is_more_surprising_the_farther_it_is() -> None:
    known = learnt(np.abs(np.random.default_rng(1).standard_normal(3000)))
    far = [surprise(known, distance) for distance in (3.0, 5.0, 10.0, 100.0)]
    assert far == sorted(far)
    assert far[0] > 2
    assert far[2] > 5


def test_in_heavy_tails_large_distances_surprise_less() -> None:
    random = np.random.default_rng(1)
    light, heavy = learnt(np.abs(random.standard_normal(2000))), learnt(random.pareto(1.5, 2000))
    for distances in (4.0, 8.0, 16.0):
        assert surprise(heavy, distances) < surprise(light, distances)


def test_with_too_few_distances_nothing_is_known() -> None:
    assert np.isnan(surprise(learnt(np.ones(WARM_UP - 1)), 1.0))
    assert np.isnan(surprise(learnt(np.ones(WARM_UP + 50)), np.nan))


def test_the_first_distance_of_a_metric_that_never_moved_is_as_surprising_as_its_past_is_long() -> None:
    assert surprise(learnt(np.zeros(999)), 0.001) == pytest.approx(np.log10(999 * 0.9 + 1), abs=0.1)


def test_distances_a_million_times_larger_find_room() -> None:
    known = learnt(np.concatenate([np.full(300, 1e-3), np.full(300, 1e3)]))
    assert surprise(known, 1e3) < 1
    assert surprise(known, 1e6) > 3


def test_the_reach_of_a_share_is_where_so_many_distances_are_larger() -> None:
    known = learnt(np.abs(np.random.default_rng(2).standard_normal(3500)))
    assert known.largest(ONE, 0, 0.05)[0] == pytest.approx(1.96, rel=0.1)
