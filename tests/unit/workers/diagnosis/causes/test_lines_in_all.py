from __future__ import annotations

from detection.chain import LineGroup
from tests.unit.workers.diagnosis.scenery import line, observed
from workers.diagnosis.causes.lines import come_as_often, lines_in_all


def _group(part: str, text: str, count: float) -> LineGroup:
    return LineGroup(part, text, count, 0.0, None, is_bad=True)


def test_lines_that_were_sent_and_counted_as_well_are_counted_once() -> None:
    sent, counted = _group("shop", "charge failed", 120), _group("shop", "charge failed", 126)
    assert lines_in_all([sent, counted]) == lines_in_all([counted, sent]) == 126


def test_a_reason_comes_as_often_as_what_else_a_failed_request_writes() -> None:
    reason, failed, answered = (line("checkout", text, count=90) for text in ("expired", "failed", "answered 502"))
    seen = observed(lines=[reason, failed, answered])
    assert come_as_often([reason], seen)
    assert not come_as_often([line("checkout", "expired", count=9)], seen)
    assert not come_as_often([], seen)


def test_the_same_text_of_another_part_and_another_text_are_other_lines() -> None:
    groups = [_group("shop", "charge failed", 3), _group("till", "charge failed", 4), _group("shop", "timeout", 5)]
    assert lines_in_all(groups) == 12
