"""Calibration of stated probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from detection.statistics.reliability import (
    brier,
    expected_calibration_error,
    isotonic,
    logits,
    platt_scaling,
    reliability_bins,
)


def test_brier_is_the_mean_squared_difference() -> None:
    assert brier([1.0, 0.0, 0.5], [1, 0, 1]) == pytest.approx(0.25 / 3)


def test_without_answers_nothing_can_be_said() -> None:
    assert np.isnan(brier([], []))
    assert np.isnan(expected_calibration_error([], []))
    assert reliability_bins([], []) == ()


def test_the_calibration_error_is_the_distance_of_word_and_deed() -> None:
    assert expected_calibration_error([0.9] * 10, [1] * 6 + [0] * 4) == pytest.approx(0.3)


def test_opposite_errors_of_two_bins_do_not_cancel() -> None:
    said = [0.2] * 10 + [0.8] * 10
    assert expected_calibration_error(said, [1] * 10 + [0] * 10, bins=2) == pytest.approx(0.8)


def test_probabilities_that_come_true_have_next_to_no_error() -> None:
    rng = np.random.default_rng(1)
    said = rng.uniform(size=20_000)
    assert expected_calibration_error(said, rng.uniform(size=said.size) < said) < 0.02


def test_bins_hold_about_equally_many_answers() -> None:
    said = np.linspace(0, 1, 100)
    assert [one.count for one in reliability_bins(said, said > 0.5, bins=4)] == [25, 25, 25, 25]


def test_answers_of_one_probability_stay_in_one_bin() -> None:
    found = reliability_bins([0.5] * 99 + [0.9], [1, 0] * 50, bins=10)
    assert [one.count for one in found] == [99, 1]


def test_the_order_of_the_answers_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    said, right = rng.integers(0, 5, 60) / 5, rng.integers(0, 2, 60)
    order = rng.permutation(60)
    assert reliability_bins(said, right) == reliability_bins(said[order], right[order])


def test_the_interval_of_a_bin_is_wilsons() -> None:
    (found,) = reliability_bins([0.9] * 10, [1] * 9 + [0], bins=1)
    assert [found.low, found.high] == pytest.approx([0.596, 0.982], abs=1e-3)


def test_platt_finds_the_curve_that_made_the_outcomes() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=50_000)
    fitted = platt_scaling(scores, rng.uniform(size=scores.size) < 1 / (1 + np.exp(-(1.5 * scores - 0.5))))
    assert fitted.slope == pytest.approx(1.5, abs=0.06)
    assert fitted.intercept == pytest.approx(-0.5, abs=0.06)


def test_platt_stays_finite_when_every_answer_was_right() -> None:
    fitted = platt_scaling(logits([0.7, 0.8, 0.99]), [1, 1, 1])
    assert fitted.probability(logits([0.8])) == pytest.approx(4 / 5)


def test_platt_stays_finite_when_right_and_wrong_can_be_told_apart() -> None:
    fitted = platt_scaling([-2.0, -1.0, 1.0, 2.0], [0, 0, 1, 1])
    assert np.all(np.isfinite([fitted.slope, fitted.intercept]))
    assert 0.5 < float(fitted.probability(2.0)) < 1


def test_platt_of_equal_scores_is_the_smoothed_share() -> None:
    assert float(platt_scaling([0.3] * 8, [1] * 6 + [0] * 2).probability(0.3)) == pytest.approx(
        (6 * 7 / 8 + 2 * 1 / 4) / 8, abs=1e-6
    )


def test_isotonic_pools_what_falls() -> None:
    fitted = isotonic([1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1])
    assert fitted.probabilities == pytest.approx((0, 0.5, 0.5, 1))


def test_isotonic_pools_equal_scores_first() -> None:
    fitted = isotonic([1.0, 1.0, 2.0], [1, 0, 1])
    assert fitted.scores == (1.0, 2.0)
    assert fitted.probabilities == pytest.approx((0.5, 1.0))


def test_isotonic_never_falls_and_keeps_the_mean() -> None:
    rng = np.random.default_rng(4)
    scores, right = rng.normal(size=400), rng.integers(0, 2, 400)
    fitted = isotonic(scores, right)
    assert np.all(np.diff(fitted.probabilities) >= 0)
    assert np.mean(fitted.probability(scores)) == pytest.approx(np.mean(right))


def test_isotonic_is_level_beyond_what_was_seen() -> None:
    fitted = isotonic([0.0, 1.0], [0, 1])
    assert list(fitted.probability([-5.0, 0.5, 5.0])) == [0.0, 0.5, 1.0]


def test_isotonic_wants_an_answer() -> None:
    with pytest.raises(ValueError, match="at least one answer"):
        isotonic([], [])


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="2 probabilities or scores, but 1 outcomes"):
        brier([0.1, 0.2], [1])
