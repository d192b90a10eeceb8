"""An answer in a few words: the cause and "no change did it" each with the figure that belongs to it."""

from __future__ import annotations

import pytest

from bot.investigate.answer import Investigation
from bot.investigate.page.page import page
from bot.investigate.words import cause_of, in_one_cell, sure_of_cause, sure_of_none

NONE = Investigation("a", "none", 0.92, cause="certificate", cause_confidence=0.81, none_confidence=0.92)
NOT_KNOWN = Investigation("b", "none", 0.64, none_confidence=0.64)
DEPLOY = Investigation("c", "559e94ce11aa22bb", 0.93, cause="deploy", cause_confidence=0.93)
FLAG = Investigation("d", "none", 0.9, cause="flag", cause_confidence=0.66)
NOTHING = Investigation("e", "none", 0.84, cause="no_fault", cause_confidence=0.82, none_confidence=0.84)
DOUBT = Investigation("f", None, 0.41)


@pytest.mark.parametrize(
    ("answer", "cause", "sure", "none"),
    [
        (NONE, "certificate", "81 %", "92 %"),
        (NOT_KNOWN, "not known", "", "64 %"),
        (DEPLOY, "deploy of 559e94ce", "93 %", ""),
        (FLAG, "flag", "66 %", ""),
        (NOTHING, "nothing looks broken", "82 %", "84 %"),
        (DOUBT, "not known", "", ""),
    ],
)
def test_the_cause_and_that_no_change_did_it_have_a_figure_each(
    answer: Investigation, cause: str, sure: str, none: str
) -> None:
    assert (cause_of(answer), sure_of_cause(answer), sure_of_none(answer)) == (cause, sure, none)


@pytest.mark.parametrize(
    ("answer", "cell"),
    [
        (NONE, ("no change; certificate", "92 %")),
        (NOT_KNOWN, ("no change", "64 %")),
        (DEPLOY, ("deploy of 559e94ce", "93 %")),
        (FLAG, ("flag", "66 %")),
        (NOTHING, ("nothing looks broken", "82 %")),
        (DOUBT, ("not known", "")),
    ],
)
def test_a_row_has_the_figure_of_what_it_says_and_a_flag_is_a_change(
    answer: Investigation, cell: tuple[str, str]
) -> None:
    assert in_one_cell(answer) == cell


def test_the_page_says_both_and_draws_no_bar_for_what_is_not_said() -> None:
    both, one, neither = (page([(answer, None)]) for answer in (NONE, DEPLOY, DOUBT))

    assert "No change did it</span>92 %" in both
    assert "Sure</span>81 %" in both
    assert "No change did it" not in one
    assert 'class="bar"' not in neither
