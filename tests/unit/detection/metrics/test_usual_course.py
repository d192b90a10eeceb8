from __future__ import annotations

import numpy as np

from detection.metrics.usual_course import courses_at, expected_levels, is_new_kind_of_day
from detection.types import Floats

MONDAY, HOUR = 1_770_595_200.0, 3600.0


def hours_of(days: float) -> np.ndarray:
    return np.arange(round(days * 24)) % 168


def rhythm(days: float) -> Floats:
    """Return a level that is high by day, and halved at weekends."""
    hours = hours_of(days)
    return np.where(hours % 24 >= 8, 200.0, 100.0) * np.where(hours // 24 >= 5, 0.5, 1.0)


def expected(levels: Floats, days: float) -> float:
    at = round(days * 24) % 168
    return float(expected_levels(levels[None, :], hours_of(days), at)[0])


def test_before_a_day_and_a_half_no_course_is_known() -> None:
    assert np.isnan(expected(rhythm(1.4), 1.4))
    assert expected(rhythm(1.6), 1.6) == 200.0


def test_the_course_of_an_hour_is_that_of_its_hour_of_the_day() -> None:
    assert expected(rhythm(3.125), 3.125) == 100.0
    assert expected(rhythm(3.5), 3.5) == 200.0


def test_one_broken_day_of_several_does_not_change_it() -> None:
    levels = rhythm(4.5)
    levels[2 * 24 : 3 * 24] = 5_000.0
    assert expected(levels, 4.5) == 200.0


def test_after_two_weeks_a_weekend_is_expected_where_it_foretells_better() -> None:
    assert expected(rhythm(19.5), 19.5) == 100.0
    assert expected(rhythm(21.5), 21.5) == 200.0


def test_hours_without_points_are_left_out() -> None:
    levels = rhythm(4.5)
    levels[12::24] = np.nan
    assert np.isnan(expected(levels, 4.5))


def test_the_first_weekend_is_a_new_kind_of_day_and_the_second_is_not() -> None:
    for days, is_new in ((3.5, False), (5.5, True), (6.5, True), (7.5, False), (12.5, False)):
        found = is_new_kind_of_day(rhythm(days)[None, :], hours_of(days), round(days * 24) % 168)
        assert bool(found[0]) is is_new, days


def test_the_course_at_past_times_comes_from_the_hours_before_each() -> None:
    hours: Floats = MONDAY + np.arange(96, dtype=np.float64) * HOUR
    times = np.array([MONDAY + 3.2 * 86_400, MONDAY + 3.6 * 86_400, MONDAY + 0.5 * 86_400])
    found = courses_at(times, hours, rhythm(4.0), "UTC")
    assert found[:2].tolist() == [100.0, 200.0]
    assert np.isnan(found[2])
