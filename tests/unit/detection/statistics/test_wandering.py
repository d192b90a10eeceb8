from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from detection.statistics.wandering import height_p_value, jump_p_value

LENGTH = 3


def levels(random: np.random.Generator, size: int, correlation: float, deviation: float) -> np.ndarray:
    """Draw rolling means over three intervals of an AR(1) process, (size,)."""
    steps = random.normal(0, deviation * np.sqrt(1 - correlation**2), size + 300)
    path = lfilter([1.0], [1.0, -correlation], steps)[300 - LENGTH + 1 :]
    return np.convolve(path, np.full(LENGTH, 1 / LENGTH), mode="valid")


@pytest.mark.parametrize("correlation", [0.0, 0.8, 0.95])
def test_the_p_values_of_an_autocorrelated_series_are_valid(correlation: float) -> None:
    random = np.random.default_rng(1)
    jumps, heights = [], []
    for _ in range(600):
        series = levels(random, 180, correlation, 0.2)
        before, now = series[:-LENGTH], series[-1:]
        jumps.append(jump_p_value(before, float(now[0]), LENGTH))
        heights.append(height_p_value(before, now, 0.0, LENGTH))
    for p_values in (jumps, heights):
        assert np.mean(np.array(p_values) < 0.01) < 0.03
        assert np.mean(np.array(p_values) < 0.001) < 0.008


def test_a_sudden_doubling_is_significant_even_where_the_level_fluctuates_widely_but_slowly() -> None:
    random = np.random.default_rng(2)
    series = levels(random, 180, 0.98, 0.3)
    before, after = series[:-LENGTH], float(series[-1]) + np.log(2)
    assert jump_p_value(before, after, LENGTH) < 1e-6
    assert height_p_value(before, np.array([after]), 0.0, LENGTH) > 1e-6


def test_a_slow_rise_is_found_by_the_height_test_and_not_by_the_jump_test() -> None:
    random = np.random.default_rng(3)
    before = levels(random, 180, 0.5, 0.05)
    ramp = np.linspace(0.0, 1.0, 60) + levels(random, 60, 0.5, 0.05)
    assert jump_p_value(np.concatenate([before, ramp[:-LENGTH]]), float(ramp[-1]), LENGTH) > 1e-4
    assert height_p_value(before, ramp[-5:], 0.0, LENGTH) < 1e-8


def test_a_long_lasting_change_is_still_too_high_without_any_earlier_level() -> None:
    during = levels(np.random.default_rng(4), 178, 0.5, 0.1) + 1.5
    assert height_p_value(np.empty(0), during, 0.0, LENGTH) < 1e-8


def test_with_little_history_a_jump_is_not_judged_and_a_height_only_if_it_is_extreme() -> None:
    assert jump_p_value(np.zeros(8), 5.0, LENGTH) == 1.0
    assert height_p_value(np.zeros(3), np.array([0.3]), 0.0, LENGTH) > 0.005
    assert height_p_value(np.zeros(3), np.array([0.0]), 0.0, LENGTH) == pytest.approx(0.5)
