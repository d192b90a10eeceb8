from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import ArrayLike

from detection.where.cells import Cells, coded_values, grouped
from detection.where.combinations import RankedCombinations, rank_combinations

NAMES = ("country", "device", "version")
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
    kinds = list(product(COUNTRIES, DEVICES, VERSIONS))
    usual = np.array([rate(*kind) if rate else 0.1 for kind in kinds])
    total = random.poisson([entries * (mix(*kind) if mix else 1.0) for kind in kinds])
    share = usual + (1 - usual) * np.array([broken(*kind) for kind in kinds])
    return cells_of(
        dict(zip(NAMES, zip(*kinds, strict=True), strict=True)), random.binomial(total, share), total, usual
    )


def cells_of(columns: dict[str, Sequence[str]], bad: ArrayLike, total: ArrayLike, usual: ArrayLike) -> Cells:
    coded = [coded_values(column) for column in columns.values()]
    counts = [np.asarray(part, dtype=np.float64) for part in (bad, total, usual)]
    codes = np.stack([codes for codes, _ in coded], axis=1) if coded else np.zeros((len(counts[0]), 0), dtype=np.int64)
    return Cells(tuple(columns), tuple(values for _, values in coded), codes, *counts)


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
        return 0.4 * all(dict(zip(NAMES, values, strict=True))[k] == v for k, v in cause.items())

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


def test_a_mix_change_alone_names_no_cause() -> None:
    cells = drawn(
        np.random.default_rng(4),
        lambda c, d, v: 0.0,
        rate=lambda c, d, v: 0.6 if d == "ios" else 0.1,
        mix=lambda c, d, v: 4.0 if d == "ios" else 1.0,
    )
    assert rank_combinations(cells).causes == ()


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
    assert rank_combinations(cells_of({"country": []}, [], [], [])).ranked == ()
    assert rank_combinations(cells_of({"country": ["de"]}, [0], [0], [0.1])).ranked == ()
    assert rank_combinations(cells_of({}, [9], [10], [0.1])).ranked == ()


def test_the_ranking_is_bounded_and_its_second_place_is_no_part_of_the_first() -> None:
    broken_in_german_ios = drawn(
        np.random.default_rng(7), lambda c, d, v: 0.4 if (c, d) == ("de", "ios") else 0.02 * (c == "de")
    )
    answer = rank_combinations(broken_in_german_ios, keep=4)
    assert len(answer.ranked) == 4
    first, second = (dict(one.where) for one in answer.ranked[:2])
    assert first == {"country": "de", "device": "ios"}
    assert not first.items() <= second.items()
    scores = [combination.score for combination in answer.ranked[2:]]
    assert scores == sorted(scores, reverse=True)


def test_grouping_numbers_distinct_rows() -> None:
    group, first = grouped(np.array([[1, 2], [0, 5], [1, 2], [1, 3]]))
    assert [int(g) for g in group] == [1, 0, 1, 2]
    assert first.tolist() == [1, 0, 3]
