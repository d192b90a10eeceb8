"""Rates of counters and names of series, without a database."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.types import MetricKind
from storage.telemetry.metrics.counter_rates import LONGEST_GAP_SECONDS, CounterPoint, NewestPoint, rates_of_increase
from storage.telemetry.metrics.series import MAX_SETS_PER_METRIC, labels, within


def cumulative(at: float, value: float) -> CounterPoint:
    return CounterPoint(at, value, MetricKind.CUMULATIVE)


def delta(at: float, value: float) -> CounterPoint:
    return CounterPoint(at, value, MetricKind.DELTA)


def test_the_first_point_makes_no_rate() -> None:
    assert rates_of_increase([cumulative(100, 5000)], None) == ([], NewestPoint(100, 5000, None))


def test_points_are_processed_in_the_order_in_which_they_happened() -> None:
    found, newest = rates_of_increase([cumulative(160, 90), cumulative(100, 0), cumulative(130, 30)], None)
    assert found == [(130, 1.0), (160, 2.0)]
    assert newest == NewestPoint(160, 90, 30)


def test_a_counter_reset_counts_from_zero_and_makes_no_negative_rate() -> None:
    assert rates_of_increase([cumulative(60, 30), cumulative(120, 33)], NewestPoint(0, 1e6))[0] == [
        (60, 0.5),
        (120, 0.05),
    ]


def test_a_late_point_of_a_cumulative_counter_changes_nothing() -> None:
    assert rates_of_increase([cumulative(30, 20)], NewestPoint(60, 30, 60)) == ([], NewestPoint(60, 30, 60))


def test_a_late_point_of_a_delta_counter_is_spread_over_the_usual_gap() -> None:
    assert rates_of_increase([delta(30, 120)], NewestPoint(60, 30, 60))[0] == [(30, 2.0)]
    assert rates_of_increase([delta(30, 120)], NewestPoint(60, 30))[0] == []


def test_a_gap_longer_than_an_hour_makes_no_rate_but_the_next_point_does() -> None:
    later = 60 + LONGEST_GAP_SECONDS + 1
    assert rates_of_increase([cumulative(later, 100), cumulative(later + 10, 120)], NewestPoint(60, 0, 60))[0] == [
        (later + 10, 2.0)
    ]


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(st.integers(0, 1000), min_size=2, max_size=40),
    cut=st.integers(0, 40),
    randomness=st.randoms(use_true_random=False),
)
def test_rates_times_time_equal_the_counters_increase_for_any_order_of_points(
    steps: list[int], cut: int, randomness: object
) -> None:
    total, points = 0.0, []
    for number, step in enumerate(steps):
        total += step
        points.append(cumulative(60.0 * number, total))
    before, after = points[: cut % len(points)], points[cut % len(points) :]
    randomness.shuffle(after)  # type: ignore[attr-defined]
    first, newest = rates_of_increase(before, None)
    second, newest = rates_of_increase(after, newest)
    assert 60 * sum(rate for _, rate in first + second) == pytest.approx(total - steps[0])
    assert newest is not None
    assert newest.value == total


def test_attributes_become_one_readable_text_in_a_fixed_order() -> None:
    assert labels('{"b":2,"a":"x","c":true}').text == "a=x, b=2, c=true"
    assert labels("{}").text == ""
    assert labels('{"a":"x"}').source == ""


def test_an_instance_id_makes_a_source_but_no_series_and_a_persons_id_is_in_neither() -> None:
    one, two = labels('{"route":"/","service.instance.id":"a"}'), labels('{"route":"/","service.instance.id":"b"}')
    assert one.text == two.text == "route=/"
    assert one.source != two.source
    ana = labels('{"user.id":"ana"}')
    assert ana.text == ""
    assert "ana" not in ana.source


def test_shortened_texts_stay_distinct_and_fit_a_fingerprint() -> None:
    one, two = within("x" * 500 + "a"), within("x" * 500 + "b")
    assert one != two
    assert max(len(one), len(two)) <= 150
    assert 1 < MAX_SETS_PER_METRIC <= 100
