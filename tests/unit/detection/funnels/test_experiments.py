from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact

from detection.funnels.experiments import Variant, compare, entries_needed, variants
from tests.unit.detection.conftest import Shop


def test_a_better_variant_has_a_significant_difference_and_ratio() -> None:
    comparison = compare(Variant("blue", 2000, 200), Variant("green", 2000, 280))
    assert comparison.enough
    assert comparison.p_value < 0.001
    assert comparison.difference.value == pytest.approx(0.04)
    assert 0.015 < comparison.difference.low < 0.04 < comparison.difference.high < 0.065
    assert comparison.relative is not None
    assert comparison.relative.value == pytest.approx(0.4)
    assert 0.1 < comparison.relative.low < 0.4 < comparison.relative.high < 0.75


def test_the_mid_p_value_is_a_little_below_the_exact_p_value() -> None:
    for left, right in ((7, 15), (0, 5), (30, 12)):
        plain = fisher_exact(np.array([[left, 40 - left], [right, 40 - right]])).pvalue
        mid = compare(Variant("a", 40, left), Variant("b", 40, right)).p_value
        assert 0.4 * plain < mid < plain


def test_swapping_the_variants_gives_the_same_p_value_and_the_opposite_difference() -> None:
    one, other = Variant("a", 120, 30), Variant("b", 90, 15)
    there, back = compare(one, other), compare(other, one)
    assert there.p_value == pytest.approx(back.p_value)
    assert there.difference.low == pytest.approx(-back.difference.high)


def test_equal_variants_are_significant_no_more_often_than_five_percent() -> None:
    random = np.random.default_rng(1)
    draws = random.binomial(150, 0.1, (2000, 2))
    called = [compare(Variant("a", 150, int(a)), Variant("b", 150, int(b))).p_value <= 0.05 for a, b in draws]
    assert 0.02 < np.mean(called) <= 0.06


def test_the_intervals_have_their_nominal_coverage() -> None:
    random = np.random.default_rng(2)
    held = []
    for a, b in zip(random.binomial(200, 0.2, 1500), random.binomial(300, 0.3, 1500), strict=True):
        comparison = compare(Variant("a", 200, int(a)), Variant("b", 300, int(b)))
        assert comparison.relative is not None
        held.append(
            (
                comparison.difference.low <= 0.1 <= comparison.difference.high,
                comparison.relative.low <= 0.5 <= comparison.relative.high,
            )
        )
    assert np.all(np.mean(held, axis=0) > 0.935)


def test_too_few_entries_are_not_enough_and_a_reference_without_conversions_has_no_ratio() -> None:
    comparison = compare(Variant("a", 20, 0), Variant("b", 20, 3))
    assert not comparison.enough
    assert comparison.relative is None
    assert comparison.difference.low < comparison.difference.value < comparison.difference.high
    empty = compare(Variant("a", 0, 0), Variant("b", 0, 0))
    assert not empty.enough
    assert empty.p_value == 1.0


def test_the_relative_change_of_a_variant_without_conversions_starts_at_minus_one() -> None:
    relative = compare(Variant("a", 100, 20), Variant("b", 100, 0)).relative
    assert relative is not None
    assert relative.value == relative.low == -1.0
    assert -1.0 < relative.high < 0.0


def test_the_values_of_a_property_are_counted_within_the_horizon_the_largest_first(shop: Shop) -> None:
    starts = shop.tens(shop.now - 3600, shop.now)
    series = [
        shop.funnel(starts, 5.0, 0.3),
        shop.funnel(starts, 2.0, 0.3, dimension="button", value="blue"),
        shop.funnel(starts, 4.0, 0.5, dimension="button", value="green"),
        shop.funnel(starts, 4.0, 0.5, dimension="device", value="ios"),
    ]
    found = variants(series, "button", horizon_seconds=600, since=shop.now - 3600, until=shop.now - 600)
    assert [variant.value for variant in found] == ["green", "blue"]
    inside = series[2].bucket_starts < shop.now - 600
    assert found[0].entries == series[2].entries[inside].sum()
    assert found[0].rate == pytest.approx(0.5, abs=0.05)
    assert variants(series, "button", horizon_seconds=60, since=shop.now, until=shop.now) == []


def test_with_the_entries_needed_four_of_five_experiments_are_significant() -> None:
    """Simulated experiments, judged by the same test that users get."""
    needed = entries_needed(0.2, 0.2)
    random = np.random.default_rng(5)
    reference, better = random.binomial(needed, 0.2, 400), random.binomial(needed, 0.24, 400)
    shown = [
        compare(Variant("a", needed, int(k)), Variant("b", needed, int(other))).p_value < 0.05
        for k, other in zip(reference, better, strict=True)
    ]
    assert 0.74 < np.mean(shown) < 0.86


@pytest.mark.parametrize(("rate", "change"), [(0.0, 0.05), (1.0, 0.05), (0.98, 0.05), (0.2, 0.0)])
def test_an_impossible_rate_or_change_is_refused(rate: float, change: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        entries_needed(rate, change)
