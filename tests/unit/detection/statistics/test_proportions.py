from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy import stats

from detection.statistics.proportions import (
    benjamini_hochberg,
    beta_binomial_mid_p,
    binomial_mid_p,
    jeffreys_interval,
    sigma_score,
    two_sample_mid_p,
    wilson_interval,
)
from detection.types import Floats

fixed = settings(max_examples=200)
counts = st.integers(0, 400)
rates = st.floats(0.005, 0.995)


@fixed
@given(counts, st.integers(1, 400), rates)
def test_the_binomial_mid_p_is_the_lower_tail_plus_half_the_observed_mass(k: int, n: int, rate: float) -> None:
    k = min(k, n)
    expected = stats.binom.cdf(k - 1, n, rate) + stats.binom.pmf(k, n, rate) / 2
    assert binomial_mid_p(k, n, rate) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@fixed
@given(counts, st.integers(1, 400), rates, st.floats(2, 1e5))
def test_the_beta_binomial_mid_p_equals_the_sum_of_its_mass(k: int, n: int, rate: float, strength: float) -> None:
    k, a, b = min(k, n), strength * rate, strength * (1 - rate)
    expected = stats.betabinom.cdf(k - 1, n, a, b) + stats.betabinom.pmf(k, n, a, b) / 2
    assert beta_binomial_mid_p(k, n, rate, strength) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@fixed
@given(counts, st.integers(1, 400), counts, st.integers(1, 400))
def test_the_two_sample_mid_p_is_fishers_tail_with_half_the_observed_mass(k: int, n: int, other: int, m: int) -> None:
    k, other = min(k, n), min(other, m)
    law = stats.hypergeom(n + m, k + other, n)
    expected = law.cdf(k - 1) + law.pmf(k) / 2
    assert two_sample_mid_p(k, n, other, m) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@fixed
@given(counts, st.integers(1, 400), rates)
def test_the_two_mid_p_tails_sum_to_one(k: int, n: int, rate: float) -> None:
    k = min(k, n)
    assert binomial_mid_p(k, n, rate) + binomial_mid_p(n - k, n, 1 - rate) == pytest.approx(1.0, abs=1e-9)


def test_a_weaker_baseline_gives_a_larger_p_value_for_the_same_drop() -> None:
    known, measured = binomial_mid_p(60, 400, 0.2), beta_binomial_mid_p(60, 400, 0.2, [10_000, 1_000, 100])
    assert known < measured[0] < measured[1] < measured[2]


def test_the_mid_p_test_keeps_its_level_under_the_null_hypothesis() -> None:
    random = np.random.default_rng(3)
    p_values = beta_binomial_mid_p(random.binomial(300, random.beta(200, 800, 20_000)), 300, 0.2, 1000.0)
    assert np.mean(p_values <= 0.01) == pytest.approx(0.01, abs=0.003)


def test_far_tails_stay_exact_where_a_normal_approximation_would_not() -> None:
    assert binomial_mid_p(0, 1000, 0.5) == pytest.approx(0.5 * 0.5**1000, rel=1e-6)
    assert binomial_mid_p([0, 5, 5, 0], 5, [0.0, 0.0, 1.0, 1.0]).tolist() == [0.5, 1.0, 0.5, 0.0]


def test_without_trials_the_results_are_neutral() -> None:
    assert binomial_mid_p(0, 0, 0.3) == 0.5
    assert sigma_score(0, 0, 0.3) == 0.0
    low, high = wilson_interval(0, 0)
    assert (float(low), float(high)) == (0.0, 1.0)


def test_the_sigma_score_counts_standard_deviations_and_its_sign_is_the_direction() -> None:
    assert sigma_score(10, 100, 0.2) == pytest.approx(-2.5)
    assert sigma_score(30, 100, 0.2) == pytest.approx(2.5)
    assert -2.5 < sigma_score(10, 100, 0.2, strength=99.0) < 0


def test_wilsons_interval_equals_published_values() -> None:
    low, high = wilson_interval([81, 0], [263, 20])
    assert low.tolist() == pytest.approx([0.2553, 0.0], abs=1e-4)
    assert high.tolist() == pytest.approx([0.3662, 0.1611], abs=1e-4)


@pytest.mark.parametrize("interval", [wilson_interval, jeffreys_interval])
def test_the_intervals_have_about_their_nominal_coverage(
    interval: Callable[[ArrayLike, ArrayLike], tuple[Floats, Floats]],
) -> None:
    random = np.random.default_rng(5)
    rate = random.uniform(0.05, 0.95, 20_000)
    low, high = interval(random.binomial(60, rate), 60)
    assert np.mean((low <= rate) & (rate <= high)) == pytest.approx(0.95, abs=0.012)


@fixed
@given(st.lists(st.floats(0, 1), max_size=40))
def test_benjamini_hochberg_adjusts_as_scipy_does(p_values: list[float]) -> None:
    expected = stats.false_discovery_control(p_values) if p_values else np.zeros(0)
    assert benjamini_hochberg(p_values) == pytest.approx(np.asarray(expected))
