"""The rules that judge a system are chosen by the others."""

from __future__ import annotations

import pytest

from detection.logs.slots import Rules, Slot
from tests.benchmarks.loghub_rules import candidates, rules_left_one_out


def test_a_system_has_no_say_in_the_rules_that_judge_it() -> None:
    def likes_few(rules: Rules) -> float:
        return 1.0 - rules.few[Slot.OTHER] / 100

    def likes_many(rules: Rules) -> float:
        return rules.few[Slot.OTHER] / 10

    few = min(one.few[Slot.OTHER] for one in candidates())
    many = max(one.few[Slot.OTHER] for one in candidates())
    chosen = [rules.few[Slot.OTHER] for rules in rules_left_one_out([likes_few, likes_few, likes_many])]
    assert chosen == [many, many, few]


def test_among_equals_the_shipped_rules_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    assert rules_left_one_out([lambda rules: 1.0] * 3) == [Rules()] * 3
    assert "3 of 3 choose the shipped rules" in capsys.readouterr().err
