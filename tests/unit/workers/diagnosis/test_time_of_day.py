"""What comes at the same hour on other days."""

from __future__ import annotations

import numpy as np

from tests.unit.workers.diagnosis.scenes import ONSET, course, said, seen
from workers.diagnosis.causes.kinds import time_of_day
from workers.diagnosis.scene.model import Course

NOW = course("checkout", "cpu_percent", 30, 90)
HOUR = float(np.floor((ONSET + 60) / 3600) * 3600)


def week(high_hours: set[int], days: int = 7, high: float = 88.0) -> Course:
    """Return hours before the onset; high in these hours after the hour of the onset."""
    times = HOUR - 3600.0 * np.arange(1, 24 * days + 8, dtype=np.float64)[::-1]
    since = np.mod((times - HOUR) / 3600.0, 24).astype(int)
    values = np.where(np.isin(since, list(high_hours)), high, 30.0) + np.sin(np.arange(len(times)))
    return Course("checkout", "cpu_percent", times, values)


def test_a_metric_that_is_high_at_this_hour_on_most_days_is_told_with_the_days() -> None:
    (found,) = time_of_day.suspects(seen([NOW], daily=(week({0}),)))

    assert "on 7 of the 7 days before" in found.evidence[0].result
    assert said(found)["same_hour"] > 0


def test_days_on_which_nothing_happened_at_this_hour_deny_it() -> None:
    assert list(time_of_day.suspects(seen([NOW], daily=(week(set()),)))) == []


def test_what_is_high_at_another_hour_is_not_of_this_one() -> None:
    assert list(time_of_day.suspects(seen([NOW], daily=(week({9}),)))) == []


def test_what_is_high_at_many_hours_of_the_day_has_no_hour() -> None:
    assert list(time_of_day.suspects(seen([NOW], daily=(week(set(range(0, 24, 3))),)))) == []


def test_two_days_are_too_few() -> None:
    assert list(time_of_day.suspects(seen([NOW], daily=(week({0}, days=2),)))) == []


def test_a_little_more_at_this_hour_each_day_does_not_explain_much_more_today() -> None:
    assert list(time_of_day.suspects(seen([NOW], daily=(week({0}, high=40.0),)))) == []
