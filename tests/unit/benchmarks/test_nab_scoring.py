from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.nab_scoring import RawScore, Weights, probation, raw_score

STANDARD = Weights(true_positive=1.0, false_negative=1.0, false_positive=0.11)
WINDOWS = [(300, 399), (700, 799)]
NAB = Path(__file__).parents[3].parent / "shared" / "data" / "nab"


def at(*places: int) -> np.ndarray:
    found = np.zeros(1000, dtype=bool)
    found[list(places)] = True
    return found


def points(*places: int) -> float:
    return raw_score(at(*places), WINDOWS, STANDARD).points


def test_all_windows_found_at_their_first_point_score_100_and_no_detections_score_0() -> None:
    assert raw_score(at(300, 700), WINDOWS, STANDARD).normalised(STANDARD) == pytest.approx(100)
    assert raw_score(at(), WINDOWS, STANDARD).normalised(STANDARD) == 0


def test_a_window_counts_once_by_its_first_detection() -> None:
    assert points(310, 311, 350) == points(310)
    assert points(310) > points(350) > points(399) > points()


def test_a_detection_in_the_middle_of_a_window_earns_the_value_of_the_papers_sigmoid() -> None:
    sigmoid = 2 / (1 + np.exp(5 * -0.5)) - 1
    assert points(350) == pytest.approx(sigmoid / (2 / (1 + np.exp(-5)) - 1) - 1)


def test_a_false_alarm_costs_little_just_behind_a_window_and_most_before_the_first() -> None:
    silence = points()

    assert points(250) == pytest.approx(silence - 0.11)
    assert points(650) == pytest.approx(silence + 0.11 * (2 / (1 + np.exp(5 * 251 / 99)) - 1))
    assert 0 > points(400) - silence > -0.01


def test_each_false_alarm_costs_except_in_the_probation() -> None:
    assert points(200, 201) == pytest.approx(points() - 0.22)
    assert points(0, 149) == points()
    assert (probation(1000), probation(5000), probation(20_000)) == (150, 750, 750)


@pytest.mark.parametrize("profile", ["standard", "reward_low_FP_rate", "reward_low_FN_rate"])
def test_the_published_raw_scores_are_normalised_to_the_published_scores(profile: str) -> None:
    """Compare NAB's own raw results over its 116 windows with the scores of its score board."""
    if not NAB.exists():
        pytest.skip(f"the public data is not in {NAB}")
    results = json.loads((NAB / "config" / "thresholds.json").read_text())
    matrix = json.loads((NAB / "config" / "profiles.json").read_text())[profile]["CostMatrix"]
    weights = Weights(matrix["tpWeight"], matrix["fnWeight"], matrix["fpWeight"])
    board = {"standard": 70.1, "reward_low_FP_rate": 63.1, "reward_low_FN_rate": 74.3}

    silent, numenta = (RawScore(results[name][profile]["score"], 116) for name in ("null", "numenta"))

    assert silent.normalised(weights) == 0
    assert numenta.normalised(weights) == pytest.approx(board[profile], abs=0.1)
