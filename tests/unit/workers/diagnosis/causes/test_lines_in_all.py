from __future__ import annotations

from detection.chain import LineGroup
from workers.diagnosis.causes.lines import lines_in_all


def _group(part: str, text: str, count: float) -> LineGroup:
    return LineGroup(part, text, count, 0.0, None, is_bad=True)


def test_lines_that_were_sent_and_counted_as_well_are_counted_once() -> None:
    sent, counted = _group("shop", "charge failed", 120), _group("shop", "charge failed", 126)
    assert lines_in_all([sent, counted]) == lines_in_all([counted, sent]) == 126


def test_the_same_text_of_another_part_and_another_text_are_other_lines() -> None:
    groups = [_group("shop", "charge failed", 3), _group("till", "charge failed", 4), _group("shop", "timeout", 5)]
    assert lines_in_all(groups) == 12
