"""Lines of invented programs are grouped by the message that wrote them: together, as they arrive, among strays."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from detection.logs.miner import TemplateMiner
from tests.benchmarks.loghub import grouping_accuracy
from tests.unit.detection.logs.programs import PROGRAMS, lines_of


@pytest.mark.parametrize("program", PROGRAMS)
def test_lines_are_grouped_by_the_message_that_wrote_them(program: str) -> None:
    lines, messages = lines_of(program, seed=5)
    assert grouping_accuracy(TemplateMiner().learn(lines), messages) >= 0.99


@pytest.mark.parametrize("program", PROGRAMS)
def test_few_lines_are_grouped_nearly_as_well_as_many(program: str) -> None:
    lines, messages = lines_of(program, seed=6, count=200)
    assert grouping_accuracy(TemplateMiner().learn(lines), messages) >= 0.85


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_few_stray_lines_break_no_group(program: str) -> None:
    chance = random.Random(program)
    lines, messages = lines_of(program, seed=7)
    strays = [lines_of(other, seed=8, count=1)[0][0] for other in chance.sample(sorted(PROGRAMS), 3)]
    for line in chance.sample(lines, 4):
        words = line.split(" ")
        plain = [place for place, word in enumerate(words) if word.isalpha()]
        if plain:
            words[chance.choice(plain)] = "".join(chance.choices("abcdefghij", k=6))
            strays.append(" ".join(words))
    learnt = TemplateMiner().learn(lines + strays)
    assert grouping_accuracy(learnt[: len(lines)], messages) >= 0.99


def test_most_lines_get_as_they_arrive_the_id_of_the_group_they_end_in() -> None:
    as_first, at_end = [], []
    for program in PROGRAMS:
        lines, messages = lines_of(program, seed=9, count=600)
        miner = TemplateMiner()
        ids = [template_id for line in lines for template_id in miner.learn([line])]
        as_first.append(grouping_accuracy(ids, messages))
        at_end.append(grouping_accuracy([miner.resolve(one) for one in ids], messages))
    assert fmean(as_first) >= 0.88
    assert fmean(at_end) >= 0.98
