from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.research.tail_surprise import WARM_UP, SortedWindow, Surprise
from detection.types import Floats


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.integers(1, 20))
def test_a_window_holds_the_last_values_in_order(values: list[float], capacity: int) -> None:
    window = SortedWindow(capacity)
    for value in values:
        window.add(value)
    kept = values[-capacity:]

    assert window.largest(len(window)) == sorted(kept)
    assert window.quantile(0.5) == pytest.approx(np.median(kept))
    assert window.at_least(values[-1]) == sum(value >= values[-1] for value in kept)


def test_there_is_no_surprise_before_the_warm_up() -> None:
    surprise = Surprise(1000)

    assert [surprise.of(1.0) for _ in range(WARM_UP)] == [None] * WARM_UP
    assert surprise.of(1.0) is not None


@pytest.mark.parametrize("draw", ["exponential", "pareto", "lognormal"])
def test_one_in_a_hundred_has_surprise_two_and_one_in_a_thousand_three(draw: str) -> None:
    random = np.random.default_rng(2)
    draws: dict[str, Callable[[int], Floats]] = {
        "exponential": lambda size: random.exponential(size=size),
        "pareto": lambda size: random.pareto(2, size),
        "lognormal": lambda size: random.lognormal(0, 1, size),
    }
    surprise = Surprise(4000)
    found = np.array([decades for value in draws[draw](20_000) if (decades := surprise.of(float(value))) is not None])

    assert np.mean(found >= 2) == pytest.approx(0.01, rel=0.25)
    assert np.mean(found >= 3) == pytest.approx(0.001, abs=0.0012)


def test_a_value_far_beyond_all_earlier_ones_is_more_surprising_than_one_just_beyond() -> None:
    random = np.random.default_rng(2)
    near, far = Surprise(1000), Surprise(1000)
    for value in random.exponential(size=500):
        near.of(float(value))
        far.of(float(value))
    just, beyond = near.of(10.0), far.of(1000.0)

    assert just is not None
    assert beyond is not None
    assert beyond > just + 3
