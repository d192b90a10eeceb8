from __future__ import annotations

import numpy as np
import pytest

from detection.chain.suspects.ranking import Clue, ClueKind, Pattern, Reading, pattern_clues, reading_clue, suspects


def reading(
    part: str, during: list[float], *, normal: list[float] | None = None, kind: ClueKind = ClueKind.METRIC
) -> Reading:
    values = [10.0, 11.0, 9.0, 10.5, 9.5] if normal is None else normal
    return Reading(part, kind, "CPU", np.array(values), np.array(during), 1.0)


def pattern(part: str, times: float, chances: float, *, normal: list[tuple[int, int]]) -> Pattern:
    counts = np.array(normal, dtype=float).T
    return Pattern(part, "ask -> answer", counts[0], counts[1], times, chances)


def pattern_clue(one: Pattern) -> Clue | None:
    return next(iter(pattern_clues([one])), None)


ALWAYS = [(20, 20), (30, 30), (25, 25), (10, 10)]


def test_the_part_with_the_largest_deviation_from_its_own_normal_comes_first() -> None:
    ranked = suspects([reading("cart", [14.0, 15.0]), reading("pay", [40.0, 45.0]), reading("mail", [10.2])], [])
    assert [suspect.part for suspect in ranked] == ["pay", "cart", "mail"]
    assert ranked[0].clues[0].now == 42.5
    assert ranked[0].score > ranked[1].score > ranked[2].score == 0.0


def test_a_reading_that_always_fluctuates_counts_little_however_large_it_is() -> None:
    wild = reading("wild", [200.0], normal=[10.0, 180.0, 60.0, 5.0, 220.0])
    calm = reading("calm", [20.0])
    assert [suspect.part for suspect in suspects([wild, calm], [])] == ["calm", "wild"]


def test_a_reading_that_is_lower_missing_or_has_few_data_is_no_clue() -> None:
    assert reading_clue(reading("a", [5.0])) is None
    assert reading_clue(reading("a", [float("nan")])) is None
    assert reading_clue(reading("a", [50.0], normal=[1.0, 2.0])) is None


def test_a_pattern_that_stopped_is_a_clue_with_both_shares() -> None:
    clue = pattern_clue(pattern("pay", 0, 12, normal=ALWAYS))
    assert clue is not None
    assert (clue.normal, clue.now) == (1.0, 0.0)
    assert clue.surprise > 1.5


def test_a_pattern_that_fluctuates_normally_is_a_weaker_clue() -> None:
    varying = pattern_clue(pattern("seat", 2, 40, normal=[(5, 40), (30, 40), (12, 40), (36, 40), (20, 40)]))
    steady = pattern_clue(pattern("pay", 0, 6, normal=ALWAYS))
    assert varying is not None
    assert steady is not None
    assert varying.surprise < steady.surprise


def test_an_incident_in_one_normal_window_does_not_hide_the_next_one() -> None:
    clean = pattern_clue(pattern("pay", 0, 12, normal=[*ALWAYS, (24, 24)]))
    spoiled = pattern_clue(pattern("pay", 0, 12, normal=[*ALWAYS, (0, 24)]))
    assert clean is not None
    assert spoiled is not None
    assert spoiled.surprise == pytest.approx(clean.surprise, abs=0.4)


def test_an_unchanged_pattern_or_one_never_seen_is_no_clue() -> None:
    assert pattern_clue(pattern("pay", 12, 12, normal=ALWAYS)) is None
    assert pattern_clue(pattern("pay", 0, 0, normal=ALWAYS)) is None
    assert pattern_clue(pattern("pay", 0, 12, normal=[(0, 0), (3, 3)])) is None


def test_clues_of_different_kinds_add_up_and_those_of_one_kind_do_not() -> None:
    twice = [reading("twice", [40.0]), reading("twice", [41.0])]
    both = [reading("both", [40.0]), reading("both", [40.0], kind=ClueKind.OWN_TIME)]
    ranked = suspects([*twice, *both], [])
    assert [suspect.part for suspect in ranked] == ["both", "twice"]
    assert [len(suspect.clues) for suspect in ranked] == [2, 1]


def test_without_any_clues_nothing_is_suspected() -> None:
    assert suspects([], []) == []
