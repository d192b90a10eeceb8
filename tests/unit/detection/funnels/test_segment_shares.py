from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detection.funnels.segment_shares import SegmentAnswer, Window, segment_contributions
from detection.types import DELAY_EDGES_SECONDS, FunnelSeries

HOUR = Window(0.0, 3600.0)
Counts = dict[tuple[str, str], tuple[int, int]]
"""(dimension, value): (entries, conversions)."""


def series(counts: Counts) -> list[FunnelSeries]:
    first = next(iter(counts))[0]
    total = [sum(pair[index] for (dimension, _), pair in counts.items() if dimension == first) for index in (0, 1)]
    return [one(None, None, *total), *(one(dimension, value, *pair) for (dimension, value), pair in counts.items())]


def one(dimension: str | None, value: str | None, entries: int, converted: int) -> FunnelSeries:
    delays = np.zeros((1, len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
    delays[0, 3] = converted
    reached = np.array([[entries, converted]])
    return FunnelSeries(1, dimension, value, np.array([0.0]), np.array([entries]), reached, delays)


def answer(before: Counts, after: Counts) -> SegmentAnswer:
    return segment_contributions(
        series(after), series(before), recent_window=HOUR, baseline_window=HOUR, horizon_seconds=60.0
    )


def test_the_segment_that_broke_stands_out_and_carries_the_drop() -> None:
    before = {("country", "DE"): (10_000, 3000), ("country", "US"): (10_000, 3000), ("country", "FR"): (10_000, 3000)}
    after = {("country", "DE"): (1000, 300), ("country", "US"): (1000, 90), ("country", "FR"): (1000, 300)}
    found = answer(before, after)
    assert [(one.dimension, one.value) for one in found.standing_out] == [("country", "US")]
    assert found.standing_out[0].share_of_drop == pytest.approx(1.0)
    assert found.total_change == pytest.approx(-0.07)
    assert not found.everywhere_alike


def test_no_segment_stands_out_in_a_drop_that_is_equal_everywhere() -> None:
    before = {("device", "ios"): (20_000, 6000), ("device", "android"): (5000, 1500)}
    after = {("device", "ios"): (2000, 300), ("device", "android"): (500, 75)}
    found = answer(before, after)
    assert found.everywhere_alike
    assert found.contributions[0].share_of_drop == pytest.approx(0.8)


def test_simpsons_paradox_is_reported_as_a_mix_change_without_a_segment() -> None:
    """Each country converts as before, but a larger share of users comes from the one that converts little."""
    before = {("country", "DE"): (9000, 3600), ("country", "IN"): (1000, 50)}
    after = {("country", "DE"): (500, 200), ("country", "IN"): (500, 25)}
    found = answer(before, after)
    assert found.total_change < -0.1
    assert found.mix_share == pytest.approx(1.0)
    assert found.everywhere_alike


def test_the_broken_value_is_named_and_not_a_value_that_only_contains_it() -> None:
    before = {
        ("provider", "card"): (10_000, 3000),
        ("provider", "paypal"): (10_000, 3000),
        ("country", "DE"): (12_000, 3600),
        ("country", "US"): (8000, 2400),
    }
    after = {
        ("provider", "card"): (1000, 30),
        ("provider", "paypal"): (1000, 300),
        ("country", "DE"): (1200, 198),  # 60 % of either provider's users are German
        ("country", "US"): (800, 132),
    }
    found = answer(before, after)
    assert [(one.dimension, one.value) for one in found.standing_out] == [("provider", "card")]


def test_a_value_without_past_is_a_mix_change_and_does_not_stand_out() -> None:
    before = {("version", "1.0"): (10_000, 3000)}
    after = {("version", "1.0"): (500, 150), ("version", "1.1"): (500, 5)}
    found = answer(before, after)
    new = next(one for one in found.contributions if one.value == "1.1")
    assert not new.stands_out
    assert new.baseline_entries == 0


def test_without_a_series_of_the_whole_funnel_there_are_no_contributions() -> None:
    lone = [one("country", "DE", 10, 5)]
    found = segment_contributions(lone, lone, recent_window=HOUR, baseline_window=HOUR, horizon_seconds=60.0)
    assert found.contributions == ()
    assert found.everywhere_alike


cell = st.tuples(st.integers(1, 5000), st.floats(0, 1)).map(lambda pair: (pair[0], int(pair[0] * pair[1])))


@settings(max_examples=150)
@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=5))
def test_rate_and_mix_effects_sum_to_the_total_change(cells: list[tuple[tuple[int, int], tuple[int, int]]]) -> None:
    before = {("country", str(index)): pair[0] for index, pair in enumerate(cells)}
    after = {("country", str(index)): pair[1] for index, pair in enumerate(cells)}
    found = answer(before, after)
    parts = sum(one.rate_effect + one.mix_effect for one in found.contributions)
    assert parts == pytest.approx(found.total_change, abs=1e-9)
