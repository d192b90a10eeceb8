"""Since when a part is not well, from several signs of it."""

from __future__ import annotations

from detection.chain.names import Names
from detection.chain.observed import Sign
from detection.chain.states import Interval, states_of
from detection.types import SymptomKind


def _harmed(*signs: Sign) -> Interval | None:
    return states_of(signs, Names.of(sign.part for sign in signs))["search"].harmed


def test_a_first_line_does_not_say_that_it_began_only_then() -> None:
    """The metric was well at 100 and off at 400; that a line of 300 is the first kept narrows it from above only."""
    metric = Sign("search", SymptomKind.LATENCY, 100.0, 400.0, 9.0, "p99_ms", source="metric")
    line = Sign("search", SymptomKind.TIMEOUTS, 300.0, 300.0, 2.0, "deadline exceeded", source="log")
    assert _harmed(metric, line) == Interval(100.0, 300.0)


def test_a_sign_that_began_later_does_not_move_the_onset() -> None:
    first = Sign("search", SymptomKind.LATENCY, 100.0, 160.0, 9.0, "p99_ms", source="metric")
    later = Sign("search", SymptomKind.ERRORS, 400.0, 460.0, 9.0, "error_rate", source="metric")
    assert _harmed(first, later) == Interval(100.0, 160.0)
