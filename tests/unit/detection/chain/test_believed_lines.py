"""Which lines are enough to be believed."""

from __future__ import annotations

import pytest

from detection.chain.seen.believed import A_HANDFUL, believed_lines
from detection.chain.signs import LineGroup

CERTIFICATE = "x509: certificate has expired"


def _line(text: str, count: float, *, part: str = "cart", usual: float = 0.0, bad: bool = True) -> LineGroup:
    return LineGroup(part, text, count, usual, 60.0, bad)


USUAL = _line("GET /cart 200", 400, usual=400, bad=False)


def test_a_line_that_comes_as_long_as_the_failure_lasts_is_believed() -> None:
    often = _line(CERTIFICATE, 40)
    assert believed_lines([often, USUAL]) == (often, USUAL)


@pytest.mark.parametrize("count", range(1, A_HANDFUL + 1))
def test_a_handful_of_lines_among_many_says_nothing_whatever_else_shows_trouble(count: int) -> None:
    few = _line(CERTIFICATE, count)
    assert believed_lines([few, USUAL]) == (USUAL,)
    assert believed_lines([few, USUAL], {"cart"}) == (USUAL,)


def test_a_handful_more_of_a_usual_line_says_nothing_either() -> None:
    assert believed_lines([_line("request failed", A_HANDFUL + 1, usual=1), USUAL]) == (USUAL,)


def test_rare_lines_that_say_the_same_in_other_words_count_together() -> None:
    rare = tuple(_line(f"timeout calling stock for basket-{name}", 3) for name in "abcd")
    assert believed_lines([*rare, USUAL]) == (*rare, USUAL)
    assert believed_lines([*rare[:2], USUAL]) == (USUAL,)


def test_a_rare_line_beside_many_of_its_kind_is_left_out_for_it_may_only_pretend_when_it_began() -> None:
    often, early = _line("timeout calling stock", 500), _line("timeout calling the bank", 1)
    assert believed_lines([often, early], {"cart"}) == (often,)


def test_few_lines_of_a_part_that_hardly_writes_count_where_something_else_shows_its_trouble() -> None:
    few = _line("panic: nil map write", 2)
    assert believed_lines([few], {"cart"}) == (few,)
    assert believed_lines([few]) == ()
    assert believed_lines([_line("panic: nil map write", 1)], {"cart"}) == ()


def test_what_the_kubelet_writes_is_believed_for_no_user_of_a_service_writes_there() -> None:
    told = _line("node-7: memory pressure", 1, part="kubelet")
    assert believed_lines([told]) == (told,)
