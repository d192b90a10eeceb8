from __future__ import annotations

from detection.chain import LineGroup
from workers.diagnosis.scene.lines import counted_once


def _group(part: str, text: str, count: float) -> LineGroup:
    return LineGroup(part, text, count, 0.0, None, is_bad=True)


def test_lines_that_were_sent_and_counted_as_well_are_counted_once() -> None:
    sent, counted = _group("shop", "charge failed", 120), _group("shop", "charge failed", 126)
    assert counted_once([sent, counted]) == (counted,)
    assert counted_once([counted, sent]) == (counted,)


def test_the_same_text_of_another_part_is_another_group() -> None:
    groups = (_group("shop", "charge failed", 3), _group("till", "charge failed", 3), _group("shop", "timeout", 3))
    assert counted_once(groups) == groups
