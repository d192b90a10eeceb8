from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from detection.logs.findings import LogOptions
from detection.logs.recovery import Minutes, log_recovery, whole_buckets
from detection.recovery import RecoveryState
from detection.types import Finding, Metric, Subject

OPTIONS = LogOptions()
FINDING = Finding(
    detector="log_new_template", metric=Metric.LOG_RATE, subject=Subject("log_template", "a1", service="shop"),
    observed=1.2, expected=0.001, expected_low=0.0, expected_high=0.01, sample_size=12, score=9.0, p_value=0.0,
    window_start=0.0, window_end=600.0, onset_at=420.0,
)  # fmt: skip


def minutes(lines: Sequence[int], others: Sequence[int] | None = None, *, broken: float = 4.0) -> Minutes:
    ordinary = [10] * len(lines) if others is None else others
    return Minutes(np.array(lines, dtype=np.int64), np.array(ordinary, dtype=np.int64), broken, 10.0)


@pytest.mark.parametrize(
    ("lines", "others", "state"),
    [
        ([0, 0], None, RecoveryState.RECOVERED),
        ([0], None, RecoveryState.INSUFFICIENT_DATA),
        ([], None, RecoveryState.INSUFFICIENT_DATA),
        ([0, 0], [0, 0], RecoveryState.INSUFFICIENT_DATA),
        ([4, 5], None, RecoveryState.STILL_BROKEN),
        ([6, 2, 0, 0, 0, 0, 0], None, RecoveryState.RECOVERED),
        ([0, 0, 0, 4, 5, 3], None, RecoveryState.STILL_BROKEN),
    ],
)
def test_recovery_is_decided_from_the_lines_since_the_fix(
    lines: list[int], others: list[int] | None, state: RecoveryState
) -> None:
    assert log_recovery(FINDING, minutes(lines, others), OPTIONS).state is state


def test_fewer_lines_during_the_incident_need_a_longer_silence() -> None:
    assert log_recovery(FINDING, minutes([0] * 2, broken=1.2), OPTIONS).state is RecoveryState.INSUFFICIENT_DATA
    assert log_recovery(FINDING, minutes([0] * 5, broken=1.2), OPTIONS).state is RecoveryState.RECOVERED
    assert log_recovery(FINDING, minutes([0] * 5, broken=0.5), OPTIONS).state is RecoveryState.INSUFFICIENT_DATA
    assert log_recovery(FINDING, minutes([0] * 6, broken=0.5), OPTIONS).state is RecoveryState.RECOVERED


def test_a_service_without_other_lines_may_be_silent_after_recovery() -> None:
    silent = Minutes(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64), 4.0, 0.0)
    assert log_recovery(FINDING, silent, OPTIONS).state is RecoveryState.RECOVERED


def test_the_recovered_share_is_reported() -> None:
    answer = log_recovery(FINDING, minutes([2, 2, 2, 2]), OPTIONS)
    assert (answer.during, answer.after, answer.sample_size) == (4.0, 2.0, 8)
    assert answer.recovered_share == pytest.approx(0.5, abs=0.01)


def test_only_whole_minutes_whose_lines_have_all_arrived_count() -> None:
    assert whole_buckets(61.0, 304.0, OPTIONS) == (120.0, 240.0)
    assert whole_buckets(61.0, 305.0, OPTIONS) == (120.0, 300.0)
    assert whole_buckets(61.0, 62.0, OPTIONS) == (120.0, 120.0)
