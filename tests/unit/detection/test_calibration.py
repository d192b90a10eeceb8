"""How sure an answer may be called."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

import pytest

from detection.calibration import LEAST_ALIKE, PRIOR, SUREST, Calibration, Method, doubted, fit, held_out
from detection.types import JudgedAnswer

RAW = [number / 200 for number in range(201)]


def _answers(count: int, raw: float, right: int, cause: str = "deploy") -> list[JudgedAnswer]:
    return [JudgedAnswer(cause, raw, number < right) for number in range(count)]


def _world(count: int, seed: int = 3, cause: str = "deploy") -> list[JudgedAnswer]:
    """Answers that are right less often than they are sure."""
    chance = random.Random(seed)
    raws = [chance.uniform(0.3, 0.99) for _ in range(count)]
    return [JudgedAnswer(cause, raw, chance.random() < raw**2) for raw in raws]


def _never_falls(values: Iterable[float]) -> bool:
    listed = list(values)
    return listed == sorted(listed)


def test_without_outcomes_the_stated_table_shrinks_every_confidence() -> None:
    for raw, stated in PRIOR:
        said = fit([]).of(raw, "deploy")
        assert (said.confidence, said.method, said.alike) == (stated, Method.PRIOR, None)
        assert said.confidence <= raw


def test_the_stated_table_holds_until_fifty_outcomes() -> None:
    assert fit(_answers(49, 0.9, 0)).of(0.9, "deploy").method is Method.PRIOR
    assert fit(_answers(50, 0.9, 45)).of(0.9, "deploy").method is Method.PLATT
    assert fit(_world(499)).of(0.9, "deploy").method is Method.PLATT
    assert fit(_world(500)).of(0.9, "deploy").method is Method.ISOTONIC


@pytest.mark.parametrize("count", [0, 49, 50, 120, 500, 3000])
def test_more_evidence_never_makes_an_answer_less_sure(count: int) -> None:
    calibration = fit(_world(count))
    assert _never_falls(calibration.of(raw, "deploy").confidence for raw in RAW)


def test_outcomes_that_contradict_the_confidence_give_one_level_and_no_falling_curve() -> None:
    upside_down = _answers(40, 0.95, 10) + _answers(40, 0.6, 38)
    calibration = fit(upside_down)
    assert {calibration.of(raw, "deploy").confidence for raw in RAW} == {round(49 / 82, 4)}


@pytest.mark.parametrize("count", [50, 500])
def test_even_if_all_were_right_no_answer_is_certain(count: int) -> None:
    assert fit(_answers(count, 0.99, count)).of(0.99, "deploy").confidence <= SUREST
    assert fit(_answers(count, 0.01, 0)).of(0.01, "deploy").confidence >= 1 - SUREST - 1e-9


def test_a_cap_is_never_exceeded_whatever_the_outcomes_say() -> None:
    all_right = _answers(600, 0.7, 600)
    assert fit(all_right).of(0.7, "deploy").confidence > 0.8
    assert fit(all_right).of(0.7, "deploy", cap=0.74).confidence == 0.74


@pytest.mark.parametrize(("count", "furthest"), [(200, 0.12), (4000, 0.06)])
def test_the_curve_comes_near_the_share_that_is_right(count: int, furthest: float) -> None:
    calibration = fit(_world(count))
    for raw in (0.5, 0.7, 0.9):
        assert calibration.of(raw, "deploy").confidence == pytest.approx(raw**2, abs=furthest)


def test_a_kind_of_cause_with_enough_outcomes_has_its_own_curve_and_others_share_one() -> None:
    outcomes = _answers(60, 0.9, 58, "deploy") + _answers(60, 0.9, 6, "third_party") + _answers(10, 0.9, 1, "node")
    calibration = fit(outcomes)
    assert calibration.of(0.9, "deploy").confidence > 0.9
    assert calibration.of(0.9, "third_party").confidence < 0.2
    assert calibration.of(0.9, "third_party").cause == "third_party"
    assert calibration.of(0.9, "node").cause is None
    assert calibration.of(0.9, "node").confidence == pytest.approx(0.5, abs=0.02)


def test_how_many_answers_that_sure_were_right_is_said_from_twenty_on() -> None:
    assert fit(_answers(LEAST_ALIKE - 1, 0.99, 18)).of(0.99, "deploy").alike is None
    alike = fit(_answers(40, 0.99, 38)).of(0.99, "deploy").alike
    assert alike is not None
    assert (alike.count, alike.right) == (40, 38)


def test_answers_that_were_less_sure_are_not_counted_as_alike() -> None:
    outcomes = _answers(30, 0.99, 29) + _answers(19, 0.62, 3)
    surest, least = (fit(outcomes).of(raw, "deploy").alike for raw in (0.99, 0.62))
    assert surest is not None
    assert (surest.count, surest.right) == (30, 29)
    assert least is None


@pytest.mark.parametrize("count", [30, 200, 700])
def test_the_order_of_the_outcomes_does_not_matter(count: int) -> None:
    outcomes = _world(count // 2) + _world(count // 2, seed=5, cause="node")
    shuffled = random.Random(1).sample(outcomes, len(outcomes))
    assert fit(shuffled) == fit(outcomes)


def test_held_out_answers_are_judged_by_the_others_only() -> None:
    lone = [*_answers(80, 0.9, 80), JudgedAnswer("deploy", 0.9, False)]
    assert held_out(lone)[-1] > held_out(lone)[1]
    assert held_out([]) == []


def test_a_confidence_outside_of_zero_and_one_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Calibration().of(1.2, "deploy")


def test_evidence_that_nobody_could_see_takes_off_the_log_odds_and_only_that() -> None:
    assert doubted(0.5, 0.0) == 0.5
    assert doubted(0.5, math.log(3)) == pytest.approx(0.25)
    assert doubted(0.9, 1.0) < doubted(0.9, 0.5) < 0.9
    assert (doubted(0.0, 1.0), doubted(1.0, 1.0)) == (0.0, 1.0)


def test_what_is_unseen_lowers_the_calibrated_confidence_and_never_raises_it() -> None:
    known = Calibration()
    for raw in (0.3, 0.6, 0.9, 0.99):
        stated = [known.of(raw, "deploy", unseen=nats).confidence for nats in (0.0, 0.1, 0.6, 1.2)]
        assert stated == sorted(stated, reverse=True)
        assert stated[0] == known.of(raw, "deploy").confidence
