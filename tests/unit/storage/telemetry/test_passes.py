from __future__ import annotations

from storage.telemetry.rollups.passes import AIM_SECONDS, FIRST_SIZE, SMALLEST_SIZE, PassSize


def test_passes_shrink_until_they_take_the_time_aimed_at_and_grow_again() -> None:
    size = PassSize()
    for _ in range(10):
        size.measured(size.records, seconds=size.records * AIM_SECONDS / 200)
    assert 150 <= size.records <= 200
    for _ in range(20):
        size.measured(size.records, seconds=size.records * AIM_SECONDS / 9_000)
    assert 8_000 <= size.records <= 9_000


def test_a_pass_that_found_little_to_take_does_not_make_the_next_one_larger() -> None:
    size = PassSize()
    size.measured(3, seconds=0.001)
    assert size.records == FIRST_SIZE


def test_however_slow_a_pass_is_the_next_takes_something() -> None:
    size = PassSize()
    for _ in range(10):
        size.measured(size.records, seconds=60.0)
    assert size.records == SMALLEST_SIZE
