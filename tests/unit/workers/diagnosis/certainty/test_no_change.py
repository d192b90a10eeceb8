"""How sure it is that no commit did it: by what did it instead, and by the reasons against the commits."""

from __future__ import annotations

import pytest

from integrations.text import ours
from workers.diagnosis.certainty.no_change import share_doubted, sure_of_none
from workers.diagnosis.model import UNKNOWN, Evidence, Outcome, Ranked, Role


def ranked(cause: str, posterior: float, role: Role = Role.ORIGIN) -> Ranked:
    return Ranked(cause, cause.partition(":")[0], role, ours("It did it."), posterior, "open")


def doubts(key: str, weight: float = -3.0) -> Evidence:
    return Evidence("trajectory", key, "", "trajectory", ours("Too late."), {}, Outcome.DATA, weight)


def test_causes_beside_the_changes_add_up_for_none_of_them_did_it() -> None:
    both = [ranked("third_party", 0.5), ranked("name_lookup", 0.4), ranked("deploy:1", 0.1)]
    assert sure_of_none(both, ()) == pytest.approx(0.9)


def test_a_flag_is_no_commit() -> None:
    assert sure_of_none([ranked("flag", 0.8), ranked("deploy:1", 0.2)], ()) == pytest.approx(0.8)


def test_the_reasons_against_the_changes_count_where_nothing_explains_it() -> None:
    left = [ranked(UNKNOWN, 0.95), ranked("deploy:1", 0.03), ranked("commit:2", 0.02)]
    none, half, every = (
        sure_of_none(left, evidence)
        for evidence in ([], [doubts("deploy:1")], [doubts("deploy:1"), doubts("commit:2")])
    )
    assert none < half < every < 0.8


@pytest.mark.parametrize("cause", ["capacity", "node"])
def test_what_ran_out_says_less_than_what_failed_by_itself(cause: str) -> None:
    known = [ranked("deploy:1", 0.1)]
    full = sure_of_none([ranked(cause, 0.9), *known], ())
    assert full < sure_of_none([ranked("certificate", 0.9), *known], ())
    assert full < sure_of_none([ranked(cause, 0.9), *known], [doubts("deploy:1")])


@pytest.mark.parametrize("cause", ["downstream", "known_incident"])
def test_an_answer_that_leaves_it_open_is_never_sure_that_no_change_did_it(cause: str) -> None:
    assert sure_of_none([ranked(cause, 1.0)], ()) < 0.8


def test_mechanisms_say_nothing_of_who_did_it() -> None:
    assert sure_of_none([ranked("saturation", 0.9, Role.MECHANISM), ranked("deploy:1", 1.0)], ()) == 0


def test_a_small_doubt_or_one_about_another_is_no_reason() -> None:
    assert share_doubted(["deploy:1"], [doubts("deploy:1", -0.5), doubts("deploy:2")]) == 0
    assert share_doubted([], []) == 1
