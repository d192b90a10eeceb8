"""What the re-test after a fix says about the diagnosis behind it."""

from __future__ import annotations

import pytest

from detection.recovery import Recovery, RecoveryState
from detection.types import Metric
from workers.lifecycle.judging import verdict_of


def _recovery(state: RecoveryState, *, is_new_normal: bool = False) -> Recovery:
    return Recovery(state, Metric.LATENCY_P95, 100, 900, 110, 0.99, 400, 80, 130, is_new_normal)


BACK = _recovery(RecoveryState.RECOVERED)
BROKEN = _recovery(RecoveryState.STILL_BROKEN)
UNSEEN = _recovery(RecoveryState.INSUFFICIENT_DATA)


def test_a_fix_after_which_all_is_well_confirms_the_cause() -> None:
    assert verdict_of([BACK, BACK]) is True


def test_a_fix_after_which_all_is_broken_still_refutes_the_cause() -> None:
    assert verdict_of([BROKEN, BROKEN]) is False


@pytest.mark.parametrize(
    "recoveries",
    [
        [],
        [UNSEEN],
        [BACK, BROKEN],
        [BACK, UNSEEN],
        [BROKEN, UNSEEN],
        [_recovery(RecoveryState.RECOVERED, is_new_normal=True)],
    ],
)
def test_what_was_not_seen_or_is_mixed_says_nothing_about_the_cause(recoveries: list[Recovery]) -> None:
    assert verdict_of(recoveries) is None
