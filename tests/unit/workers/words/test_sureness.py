"""How sure a diagnosis is, in words: of the cause, and of that no change did it, each with its own figure."""

from __future__ import annotations

from typing import Any

import pytest

from storage.models import Diagnosis
from workers.words.sureness import sure_fields


def diagnosis(status: str = "concluded", **confirmed: Any) -> Diagnosis:
    return Diagnosis(status=status, confidence=0.91, checkpoints={"confirm": confirmed})


def test_a_cause_and_that_no_change_did_it_have_a_figure_each() -> None:
    fields = sure_fields(diagnosis(no_change=True, none_confidence=0.92))

    assert fields == (("Confidence", "91 %"), ("No change did it", "92 % sure"))


def test_without_a_cause_it_is_said_how_sure_it_is_that_no_change_did_it() -> None:
    fields = sure_fields(diagnosis("inconclusive", no_change=True, none_confidence=0.64))

    assert fields == (("No change did it", "64 % sure"),)


@pytest.mark.parametrize(
    "confirmed",
    [
        {},
        {"no_change": False, "none_confidence": 0.3},
        {"no_change": True, "none_confidence": 0.0},
        {"no_change": True},
    ],
)
def test_where_that_is_no_conclusion_or_its_figure_was_not_kept_nothing_is_said(confirmed: dict[str, Any]) -> None:
    assert sure_fields(diagnosis(**confirmed)) == (("Confidence", "91 %"),)


def test_a_diagnosis_under_way_is_sure_of_nothing() -> None:
    assert sure_fields(diagnosis("running", no_change=True, none_confidence=0.92)) == ()
