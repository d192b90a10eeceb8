"""The times of a sender whose clock is wrong are corrected by the time of sending that it names."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.inbound.reading.clocks import clock_of, moment_ago
from integrations.inbound.reading.records import FieldError

NOW = datetime(2026, 2, 7, 12, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86_400.0


@pytest.mark.parametrize("error", [-9 * DAY, -2 * HOUR, -61.0, 3.0, 40.0, 5 * HOUR, 400 * DAY])
@pytest.mark.parametrize("age", [0.0, 7.0, 3 * DAY])
def test_what_happened_some_time_before_the_sending_happened_as_long_before_the_arrival(
    error: float, age: float
) -> None:
    clock = clock_of(NOW + error, now=NOW)
    assert clock.corrected(NOW + error - age, field="time") == pytest.approx(NOW - age)


@pytest.mark.parametrize("error", [-59.0, -1.0, 0.0, 1.5])
def test_a_request_that_took_its_time_is_not_taken_for_a_wrong_clock(error: float) -> None:
    assert clock_of(NOW + error, now=NOW).corrected(NOW - 30, field="time") == NOW - 30


@pytest.mark.parametrize(
    "written", ["yesterday", "", "0", 0, -5, "1", "1970-01-01T00:00:20Z", True, None, {}, [], 1e99]
)
def test_a_time_of_sending_that_is_none_leaves_the_times_as_they_are(written: object) -> None:
    assert clock_of(written, now=NOW).corrected(NOW - 20, field="time") == NOW - 20


@pytest.mark.parametrize("sent_at", ["2019-03-01T00:00:00Z", NOW - 2 * DAY])
def test_a_time_of_sending_long_before_what_was_sent_is_not_of_the_same_clock(sent_at: object) -> None:
    assert clock_of(sent_at, now=NOW).corrected(NOW - 20, field="time") == NOW - 20


@pytest.mark.parametrize("sent_at", [0, 1, 300.5, "1970-01-01T00:05:00Z", 946_684_000])
def test_a_device_that_does_not_know_the_date_tells_how_long_ago_something_happened(sent_at: object) -> None:
    clock = clock_of(sent_at, now=NOW)
    assert clock.corrected(sent_at, field="time") == NOW
    if isinstance(sent_at, float):
        assert clock.corrected(sent_at - 20, field="time") == pytest.approx(NOW - 20)


def test_a_time_of_sending_of_today_counts_before_one_of_1970() -> None:
    clock = clock_of(0, NOW + HOUR, now=NOW)
    assert clock.corrected(NOW + HOUR - 5, field="time") == pytest.approx(NOW - 5)


def test_the_first_time_of_sending_that_is_one_counts() -> None:
    clock = clock_of("nonsense", None, str(int((NOW + HOUR) * 1000)), NOW + DAY, now=NOW)
    assert clock.corrected((NOW + HOUR - 4) * 1000, field="time") == pytest.approx(NOW - 4)


def test_what_cannot_be_corrected_is_refused_as_without_a_time_of_sending() -> None:
    with pytest.raises(FieldError, match="in the future"):
        clock_of(NOW, now=NOW).corrected(NOW + 2 * HOUR, field="time")
    with pytest.raises(FieldError, match="not an ISO 8601 time"):
        clock_of(NOW + DAY, now=NOW).corrected("soon", field="time")


@pytest.mark.parametrize(
    ("milliseconds", "moment"),
    [(0, NOW), (2_500, NOW - 2.5), (-40, NOW), (1e30, None), (float("nan"), None), ("12", None), (True, None)],
)
def test_an_offset_is_a_number_of_milliseconds_ago(milliseconds: object, moment: float | None) -> None:
    assert moment_ago(milliseconds, now=NOW) == moment
