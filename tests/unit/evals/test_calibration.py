"""The figures of calibration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evals.calibration import calibration, cross_validated
from tests.evals.cases import Case
from tests.evals.marks import Mark
from tests.evals.plain_answer import PlainAnswer


def mark(confidence: float, right: bool | None, group: str) -> Mark:
    case = Case("suite", group, Path(group), {}, group)
    return Mark(case, PlainAnswer(confidence=confidence), passed=bool(right), right=right)


def test_answers_that_abstain_are_not_in_the_calibration() -> None:
    figures = {figure.name: figure for figure in calibration("s", [mark(0.9, True, "a"), mark(0.9, None, "b")])}
    assert figures["s_brier"].cases == 1
    assert list(calibration("s", [mark(0.9, None, "b")])) == []


def test_a_boaster_is_mended_by_what_others_have_shown() -> None:
    marks = [mark(0.95, n % 2 == 0, f"group-{n // 4}") for n in range(200)]
    figures = {figure.name: figure for figure in calibration("s", marks, at_most=0.08)}
    assert figures["s_ece"].value == pytest.approx(0.45)
    assert figures["s_ece_cross_validated"].value < 0.08


def test_a_group_never_learns_from_itself() -> None:
    alone = [mark(0.9, True, "a") for _ in range(20)] + [mark(0.9, False, "b") for _ in range(20)]
    mended = cross_validated(alone)
    assert max(mended[:20]) < 0.2
    assert min(mended[20:]) > 0.8


def test_the_interval_is_the_same_in_every_run() -> None:
    marks = [mark(0.5 + n / 100, n % 3 > 0, f"group-{n}") for n in range(40)]
    assert list(calibration("s", marks)) == list(calibration("s", marks))
