"""Counters as rates, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.types import MetricKind
from storage.telemetry.metrics.counter_rates import LONGEST_GAP_SECONDS, CounterPoint, NewestPoint, rates_of_increase
from storage.telemetry.metrics.series import MAX_SETS_PER_METRIC, labels, within


def on(at: float, value: float) -> CounterPoint:
    return CounterPoint(at, value, MetricKind.CUMULATIVE)


def since(at: float, value: float) -> CounterPoint:
    return CounterPoint(at, value, MetricKind.DELTA)


def test_the_first_point_says_nothing() -> None:
    assert rates_of_increase([on(100, 5000)], None) == ([], NewestPoint(100, 5000, None))


def test_points_are_taken_in_the_order_in_which_they_happened() -> None:
    found, newest = rates_of_increase([on(160, 90), on(100, 0), on(130, 30)], None)
    assert found == [(130, 1.0), (160, 2.0)]
    assert newest == NewestPoint(160, 90, 30)


def test_a_reset_has_risen_from_nothing_and_is_never_negative() -> None:
    assert rates_of_increase([on(60, 30), on(120, 33)], NewestPoint(0, 1e6))[0] == [(60, 0.5), (120, 0.05)]


def test_a_late_point_of_a_counter_that_counts_on_moves_nothing() -> None:
    assert rates_of_increase([on(30, 20)], NewestPoint(60, 30, 60)) == ([], NewestPoint(60, 30, 60))


def test_a_late_point_of_one_that_counts_anew_counts_over_the_usual_time() -> None:
    assert rates_of_increase([since(30, 120)], NewestPoint(60, 30, 60))[0] == [(30, 2.0)]
    assert rates_of_increase([since(30, 120)], NewestPoint(60, 30))[0] == []


def test_a_gap_longer_than_an_hour_makes_no_rate_and_the_next_point_does() -> None:
    later = 60 + LONGEST_GAP_SECONDS + 1
    assert rates_of_increase([on(later, 100), on(later + 10, 120)], NewestPoint(60, 0, 60))[0] == [(later + 10, 2.0)]


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(st.integers(0, 1000), min_size=2, max_size=40),
    cut=st.integers(0, 40),
    shuffled=st.randoms(use_true_random=False),
)
def test_rates_times_time_are_what_the_counter_rose_by_however_it_comes(
    steps: list[int], cut: int, shuffled: object
) -> None:
    total, points = 0.0, []
    for number, step in enumerate(steps):
        total += step
        points.append(on(60.0 * number, total))
    before, after = points[: cut % len(points)], points[cut % len(points) :]
    shuffled.shuffle(after)  # type: ignore[attr-defined]
    first, newest = rates_of_increase(before, None)
    second, newest = rates_of_increase(after, newest)
    assert 60 * sum(rate for _, rate in first + second) == pytest.approx(total - steps[0])
    assert newest is not None
    assert newest.value == total


def test_attributes_are_one_readable_text_in_one_order() -> None:
    assert labels('{"b":2,"a":"x","c":true}').text == "a=x, b=2, c=true"
    assert labels("{}").text == ""
    assert labels('{"a":"x"}').source == ""


def test_who_counts_is_a_source_and_no_series_and_people_are_neither() -> None:
    one, two = labels('{"route":"/","service.instance.id":"a"}'), labels('{"route":"/","service.instance.id":"b"}')
    assert one.text == two.text == "route=/"
    assert one.source != two.source
    ana = labels('{"user.id":"ana"}')
    assert ana.text == ""
    assert "ana" not in ana.source


def test_long_texts_stay_apart_and_fit_a_fingerprint() -> None:
    one, two = within("x" * 500 + "a"), within("x" * 500 + "b")
    assert one != two
    assert max(len(one), len(two)) <= 150
    assert 1 < MAX_SETS_PER_METRIC <= 100
