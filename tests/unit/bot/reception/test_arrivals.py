"""Each request has an arrival time of its own."""

from __future__ import annotations

from bot.reception.receive import ArrivalTimes


def test_requests_that_arrive_at_one_reading_of_the_clock_arrive_at_different_moments_all_the_same() -> None:
    arrivals = ArrivalTimes()
    found = [arrivals.at(seconds) for seconds in (1e9, 1e9, 1e9, 1e9 + 1, 1e9 + 1)]
    assert len(set(found)) == 5
    assert found == sorted(found)
    assert [round(moment, 3) for moment in found] == [1e9, 1e9, 1e9, 1e9 + 1, 1e9 + 1]


def test_a_clock_that_is_set_back_is_followed() -> None:
    arrivals = ArrivalTimes()
    arrivals.at(1e9)
    assert arrivals.at(1e9 - 3600) == 1e9 - 3600
