from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from detection.triage.shapes import Shape, shape_of


def _shape(values: Sequence[float], threshold: float | None = 50.0, sign: float = 1.0) -> Shape:
    return shape_of(np.arange(len(values), dtype=np.float64) * 60.0, np.array(values, dtype=float), threshold, sign)


@pytest.mark.parametrize(
    "values",
    [
        [10, 20, 30, 40],
        [10, 9, 22, 31, 45, 60],
        [50, 49, 10, 20, 30, 40, 52],
        list(np.linspace(1, 40, 20)),
        list(np.linspace(1, 40, 180) + np.tile([0.6, -0.6], 90)),
        [1, 2, 4, 8, 16],
        [0, 1, 1, 2, 2, 3, 3],
        [*np.linspace(50, 76, 30), *np.tile([76, 76.4, 75.9], 200), *np.linspace(76, 90, 30)],
    ],
)
def test_a_climb_rises(values: list[float]) -> None:
    assert _shape(values).rises


@pytest.mark.parametrize(
    "values",
    [
        [],
        [40],
        [10, 40],
        [40, 30, 20, 10],
        [10, 60, 61, 60, 61, 60],
        [10, 50, 10, 50, 10],
        [70, 70.2, 70.1, 70.3, 70.2],
        [10, 40, 60, 62, 61, 61.5, 62],
        [0, 1, 1],
        [0, 0, 0, 1, 1, 1],
        [*np.linspace(50, 76, 30), *np.tile([76, 76.4, 75.9], 210)],
        [*np.tile([80.0] * 60 + [60.0] * 60, 5), *np.linspace(60, 79, 60)],
    ],
)
def test_what_is_short_falls_holds_or_swings_does_not_rise(values: list[float]) -> None:
    assert not _shape(values).rises


def test_a_rise_that_holds_a_new_level_has_settled() -> None:
    assert _shape([10, 40, 60, 62, 61, 61.5, 62]).settled
    assert not _shape([10, 20, 30, 40, 50, 60, 70]).settled
    assert not _shape([70, 70, 70, 70, 70, 70]).settled


def test_what_fell_below_the_threshold_fell_back_and_says_for_how_long() -> None:
    shape = _shape([10, 60, 20, 15, 16])
    assert (shape.fell_back, shape.samples_back, shape.came_back) == (True, 3, False)
    assert not _shape([10, 60, 55]).fell_back


def test_what_is_over_again_came_back() -> None:
    assert _shape([10, 60, 20, 30, 55]).came_back
    assert _shape([10, 60, 20, 27, 35, 44]).came_back
    assert not _shape([10, 60, 20, 22, 20, 21]).came_back


def test_less_is_worse_where_the_sign_says_so() -> None:
    shape = _shape([90, 70, 60, 40, 20], threshold=50.0, sign=-1.0)
    assert (shape.rises, shape.is_over, shape.last) == (True, True, 20.0)


def test_the_speed_is_that_of_the_climb() -> None:
    assert _shape([10, 20, 30, 40]).per_second == pytest.approx(10 / 60)


def test_peaks_that_grow_are_told_from_hovering_about_the_threshold() -> None:
    assert _shape([10, 52, 20, 56, 20, 63, 20]).peaks_grow
    assert not _shape([49, 50.2, 49, 50.5, 49.5, 51.4, 49]).peaks_grow
