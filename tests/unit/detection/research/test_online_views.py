from __future__ import annotations

import numpy as np
import pytest

from detection.research.online_views import HISTORY, PATTERN, LevelView, PatternView


def nearest_by_hand(values: np.ndarray, place: int) -> float:
    """Compute the mean distance to the five nearest earlier patterns without overlap, one by one."""
    shape = values[place - PATTERN + 1 : place + 1]
    ends = range(max(PATTERN - 1, place - HISTORY), place - PATTERN + 1)
    distances = sorted(float(np.linalg.norm(values[end - PATTERN + 1 : end + 1] - shape)) for end in ends)
    return float(np.mean(distances[:5])) if len(distances) >= 5 else np.inf


def test_distances_are_the_mean_to_the_five_nearest_patterns_without_overlap() -> None:
    values = np.random.default_rng(1).normal(size=HISTORY + 300)
    found = PatternView().distances(values)

    for place in [40, 49, 50, 51, 52, 500, HISTORY + PATTERN, HISTORY + 299]:
        assert found[place] == pytest.approx(nearest_by_hand(values, place))


def test_a_huge_spike_leaves_no_rounding_error_behind() -> None:
    values = np.tile(np.arange(8.0), 100)
    values[400] = 1e12

    assert PatternView().distances(values)[500:].max() == 0.0


def test_a_level_is_judged_by_the_spread_before_it() -> None:
    random = np.random.default_rng(1)
    calm, wild = random.normal(0, 1, 600), random.normal(0, 10, 600)
    calm[500:] += 5
    wild[500:] += 5

    assert LevelView().distances(calm)[530] > 4 * LevelView().distances(wild)[530]


def test_a_constant_has_distance_zero_and_leaving_it_a_finite_distance() -> None:
    values = np.zeros(200)
    values[150:] = 0.1
    found = LevelView().distances(values)

    assert found[60:150].max() == 0.0
    assert 0 < found[150] < np.inf
