from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detection.where.cells import Cells, counted_cells, grouped
from detection.where.combinations import RankedCombinations, rank_combinations

COUNTRIES, DEVICES, VERSIONS = ("de", "fr", "us", "jp"), ("ios", "android", "web"), ("1", "2")


PerCell = Callable[[str, str, str], float]
"""A figure of each combination of country, device and version."""


def drawn(
    random: np.random.Generator,
    broken: PerCell,
    *,
    entries: float = 300.0,
    mix: PerCell | None = None,
    rate: PerCell | None = None,
) -> Cells:
    """Draw every combination of country, device and version.

    broken: the share of those usually well that fails now. mix: a factor on the entries now. rate: the usual bad share.
    """
    rows: dict[str, list[str]] = {"country": [], "device": [], "version": []}
    bad, total, is_now = [], [], []
    for country in COUNTRIES:
        for device in DEVICES:
            for version in VERSIONS:
                usual = rate(country, device, version) if rate else 0.1
                for now in (False, True):
                    mean = entries * (mix(country, device, version) if mix and now else 1.0)
                    count = random.poisson(mean * (1 if now else 4))
                    share = usual + (1 - usual) * broken(country, device, version) * now
                    rows["country"].append(country)
                    rows["device"].append(device)
                    rows["version"].append(version)
                    bad.append(random.binomial(count, share))
                    total.append(count)
                    is_now.append(now)
    return counted_cells(rows, bad, total, is_now=is_now)


def places(answer: RankedCombinations) -> list[dict[str, str]]:
    return [dict(cause.where) for cause in answer.causes]


@pytest.mark.parametrize(
    "cause",
    [
        {"country": "de"},
        {"country": "de", "device": "ios"},
        {"country": "us", "device": "web", "version": "2"},
    ],
)
def test_a_cause_of_one_two_or_three_values_is_named_exactly(cause: dict[str, str]) -> None:
    def broken(*values: str) -> float:
        return 0.4 * all(
            dict(zip(("country", "device", "version"), values, strict=True))[k] == v for k, v in cause.items()
        )

    answer = rank_combinations(drawn(np.random.default_rng(1), broken))
    assert places(answer) == [cause]
    assert answer.causes[0].broken == pytest.approx(0.4, abs=0.08)
    assert answer.causes[0].share_of_excess == pytest.approx(1.0, abs=0.3)
    assert answer.ranked[0] == answer.causes[0]


def test_two_causes_are_both_named() -> None:
    answer = rank_combinations(drawn(np.random.default_rng(2), lambda c, d, v: 0.4 if c == "de" or c == "jp" else 0.0))
    assert sorted(place["country"] for place in places(answer)) == ["de", "jp"]


def test_the_same_relative_drop_is_one_cause_even_where_users_fail_at_different_rates() -> None:
    """Half of ios always fails, and a tenth of the rest; in Germany 40 % of those who used to succeed fail now."""
    answer = rank_combinations(
        drawn(
            np.random.default_rng(3),
            lambda c, d, v: 0.4 if c == "de" else 0.0,
            rate=lambda c, d, v: 0.5 if d == "ios" else 0.1,
        )
    )
    assert places(answer) == [{"country": "de"}]


def test_a_mix_change_alone_names_no_cause_and_is_separated_from_a_rate_change() -> None:
    cells = drawn(
        np.random.default_rng(4),
        lambda c, d, v: 0.0,
        rate=lambda c, d, v: 0.6 if d == "ios" else 0.1,
        mix=lambda c, d, v: 4.0 if d == "ios" else 1.0,
    )
    answer = rank_combinations(cells)
    change = cells.bad.sum() / cells.total.sum() - cells.bad_before.sum() / cells.total_before.sum()
    assert change > 0.1
    assert answer.causes == ()
    assert answer.mix_effect == pytest.approx(change, abs=0.02)
    assert answer.rate_effect + answer.mix_effect == pytest.approx(change)


def test_failures_that_are_equal_everywhere_name_no_cause() -> None:
    answer = rank_combinations(drawn(np.random.default_rng(5), lambda c, d, v: 0.3))
    assert answer.everywhere_alike
    assert answer.causes == ()
    assert answer.ranked


def test_a_healthy_minute_names_no_cause() -> None:
    named = [rank_combinations(drawn(np.random.default_rng(seed), lambda c, d, v: 0.0)).causes for seed in range(30)]
    assert sum(bool(causes) for causes in named) <= 2


def test_one_huge_cell_does_not_outweigh_many_cells_that_agree() -> None:
    """The version is broken everywhere; the largest cell is the worst but must not be named alone."""
    random = np.random.default_rng(6)
    answer = rank_combinations(
        drawn(
            random,
            lambda c, d, v: (0.5 if (c, d) == ("us", "web") else 0.3) if v == "2" else 0.0,
            mix=lambda c, d, v: 50.0 if (c, d, v) == ("us", "web", "2") else 1.0,
        )
    )
    assert places(answer) == [{"version": "2"}]


def test_without_counts_there_is_no_candidate() -> None:
    nothing = counted_cells({"country": []}, [], [], is_now=[])
    assert rank_combinations(nothing).ranked == ()
    only_past = counted_cells({"country": ["de"]}, [1], [10], is_now=[False])
    assert rank_combinations(only_past).ranked == ()
    no_dimensions = counted_cells({}, [9, 1], [10, 10], is_now=[True, False])
    assert rank_combinations(no_dimensions).ranked == ()


def test_a_value_without_past_is_compared_with_the_overall_past() -> None:
    columns = {"version": ["1", "1", "2"]}
    answer = rank_combinations(counted_cells(columns, [40, 10, 90], [400, 100, 100], is_now=[False, True, True]))
    assert places(answer) == [{"version": "2"}]
    assert answer.rate_effect == pytest.approx(0.4)
    assert answer.mix_effect == pytest.approx(0.0)


def test_the_ranking_is_bounded_and_in_order() -> None:
    answer = rank_combinations(drawn(np.random.default_rng(7), lambda c, d, v: 0.4 if c == "de" else 0.0), keep=4)
    assert len(answer.ranked) == 4
    scores = [combination.score for combination in answer.ranked]
    assert scores == sorted(scores, reverse=True)


def test_rows_of_the_same_combination_are_summed() -> None:
    cells = counted_cells(
        {"a": ["x", "x", "y"], "b": ["1", "1", "1"]}, [1, 2, 3], [5, 5, 5], is_now=[True, True, False]
    )
    assert cells.bad.tolist() == [3.0, 0.0]
    assert cells.total_before.tolist() == [0.0, 5.0]
    assert [[names[code] for names, code in zip(cells.values, codes, strict=True)] for codes in cells.codes] == [
        ["x", "1"],
        ["y", "1"],
    ]


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and total"):
        counted_cells({"a": ["x"]}, [2], [1], is_now=[True])
    with pytest.raises(ValueError, match="one entry a row"):
        counted_cells({"a": ["x", "y"]}, [1], [1], is_now=[True])


def test_grouping_numbers_distinct_rows() -> None:
    group, first = grouped(np.array([[1, 2], [0, 5], [1, 2], [1, 3]]))
    assert [int(g) for g in group] == [1, 0, 1, 2]
    assert first.tolist() == [1, 0, 3]
