from __future__ import annotations

import numpy as np
import pytest

from detection.statistics.changepoints import mean_onset, share_onset
from detection.types import Floats

STARTS: Floats = np.arange(180, dtype=np.float64) * 10.0


def test_the_onset_of_a_fallen_share_is_found_and_its_interval_has_its_nominal_coverage() -> None:
    random = np.random.default_rng(1)
    errors, held = [], 0
    for _ in range(200):
        change = int(random.integers(40, 150))
        rate = np.where(np.arange(180) < change, 0.3, 0.15)
        trials = random.poisson(40, 180).astype(float)
        successes = random.binomial(trials.astype(int), rate).astype(float)
        found = share_onset(STARTS, successes, trials, normal=0.3, broken=0.2)
        errors.append(abs(found.at - change * 10.0))
        held += found.low <= change * 10.0 <= found.high
    assert np.median(errors) <= 20
    assert held / 200 >= 0.9


def test_a_change_in_the_middle_of_a_bucket_is_placed_inside_it() -> None:
    trials = np.full(180, 20.0)
    slow = np.where(np.arange(180) > 100, 20.0, 1.0)
    slow[100] = 6.0  # a quarter of the way from 5 % to all
    found = share_onset(STARTS, slow, trials, normal=0.05, broken=0.6)
    assert found.at == pytest.approx(1007.4, abs=0.2)


def test_the_latest_break_is_found_and_not_one_that_was_over() -> None:
    trials, converted = np.full(180, 40.0), np.full(180, 12.0)
    converted[20:30] = 4.0
    converted[150:] = 4.0
    assert share_onset(STARTS, converted, trials, normal=0.3, broken=0.1).at == 1500.0


def test_a_diluted_first_guess_of_the_broken_level_still_finds_the_onset() -> None:
    random = np.random.default_rng(2)
    counts = np.full(180, 20.0)
    sums = random.normal(np.where(np.arange(180) < 160, 80.0, 2400.0), 20.0)
    found = mean_onset(STARTS, sums, counts, normal=4.0, broken=15.0, deviation=2.0)
    assert found.at == pytest.approx(1600.0, abs=1.0)
    assert found.high - found.low <= 30.0


def test_the_onset_of_a_series_that_was_always_broken_is_its_start() -> None:
    assert share_onset(STARTS, np.full(180, 2.0), np.full(180, 20.0), normal=0.5, broken=0.1).at == 0.0


def test_empty_buckets_before_the_change_widen_the_interval() -> None:
    trials = np.full(180, 20.0)
    trials[90:100] = 0.0
    converted = np.where(np.arange(180) < 90, 10.0, 2.0) * (trials > 0)
    found = share_onset(STARTS, converted, trials, normal=0.5, broken=0.1)
    assert found.low <= 900.0
    assert found.high >= 1000.0
