"""A share of errors burns the error budget; what is no share, is over, or was not seen for long, does not."""

from __future__ import annotations

import pytest

from detection.triage.budget import burn_of
from tests.unit.detection.triage.firings import firing, judged

HOUR = [(float(minute), 0.02) for minute in range(61)]


def test_two_percent_of_errors_for_an_hour_use_up_a_part_of_the_months_budget() -> None:
    burn = burn_of(firing("a", "cart", "error_ratio", 50, HOUR, threshold=0.01, value=0.02))
    assert burn is not None
    assert (round(burn.rate), burn.is_fast) == (20, True)
    assert burn.spent == pytest.approx(20 * 3540 / (30 * 86_400), rel=0.03)


def test_percent_are_read_as_percent() -> None:
    course = [(minute, 100 * share) for minute, share in HOUR]
    burn = burn_of(firing("a", "cart", "error_pct", 50, course, threshold=1.0, value=2.0))
    assert burn is not None
    assert round(burn.rate) == 20


def test_what_burns_slower_over_six_hours_is_told_as_such() -> None:
    course = [(float(minute), 0.008) for minute in range(0, 361, 2)]
    burn = burn_of(firing("a", "cart", "error_ratio", 300, course, threshold=0.005, value=0.008))
    assert burn is not None
    assert (round(burn.rate), burn.is_fast) == (8, False)


@pytest.mark.parametrize(
    ("metric", "course", "threshold"),
    [
        ("error_ratio", [(minute, 0.02 if minute < 50 else 0.0) for minute, _ in HOUR], 0.01),
        ("error_ratio", HOUR[:20], 0.01),
        ("error_ratio", [(minute, 0.004) for minute, _ in HOUR], 0.002),
        ("error_ratio", HOUR, None),
        ("error_ratio", [(minute, 3.0) for minute, _ in HOUR], 1.0),
        ("errors_per_second", HOUR, 0.01),
        ("cpu_ratio", HOUR, 0.01),
    ],
    ids=["it is over", "seen too short", "slow", "no threshold", "no share", "per second", "no errors"],
)
def test_what_does_not_burn_it_is_not_said_to(
    metric: str, course: list[tuple[float, float]], threshold: float | None
) -> None:
    assert burn_of(firing("a", "cart", metric, 5, course, threshold=threshold, value=0.02)) is None


def test_the_reason_says_how_much_of_the_budget_is_gone() -> None:
    judgement = judged([firing("a", "cart", "error_ratio", 50, HOUR, threshold=0.01, value=0.02)])["a"]
    assert any("of a month's error budget (99.9 %) went in 59 minutes" in one.text for one in judgement.weights)
