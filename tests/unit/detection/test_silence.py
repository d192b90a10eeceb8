from __future__ import annotations

import numpy as np
import pytest

from detection.silence import is_heard


def test_data_that_came_until_now_still_arrive_and_missing_data_do_not() -> None:
    starts, counts = np.arange(0.0, 600.0, 10.0), np.full(60, 4)
    assert is_heard(starts, counts, since=0.0, now=605.0, bucket_seconds=10.0)
    assert not is_heard(starts, counts, since=600.0, now=605.0, bucket_seconds=10.0)


@pytest.mark.parametrize(("every_seconds", "silent_seconds"), [(10, 200), (120, 700)])
def test_a_gap_in_which_many_arrivals_are_missing_is_recognised(every_seconds: int, silent_seconds: int) -> None:
    starts = np.arange(0.0, 3600.0, every_seconds)
    came = np.ones(len(starts), dtype=np.int64)
    last = float(starts[-1]) + 10
    assert not is_heard(starts, came, since=0.0, now=last + silent_seconds, bucket_seconds=10.0)
    assert is_heard(starts, came, since=0.0, now=last + every_seconds, bucket_seconds=10.0)


def test_a_sender_may_buffer_for_a_minute_or_two() -> None:
    starts, counts = np.arange(0.0, 600.0, 10.0), np.full(60, 100)
    assert is_heard(starts, counts, since=0.0, now=700.0, bucket_seconds=10.0)
