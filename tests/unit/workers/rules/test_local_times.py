from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from workers.rules.local_times import NotATimeError, duration, instant

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("45m", 45), ("2h", 120), ("1h30m", 90), ("1h 30 min", 90), ("2d", 2880), ("0.5h", 30), ("2H", 120)],
)
def test_a_duration_is_parsed_as_people_write_it(text: str, minutes: float) -> None:
    assert duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "2", "h", "2 hours", "-2h", "2h or so", "0h", "400d", "9" * 400 + "d"])
def test_an_invalid_duration_is_refused_with_the_expected_format(text: str) -> None:
    with pytest.raises(NotATimeError, match="Write it as 45m, 2h, 1h30m or 2d"):
        duration(text)


def test_a_time_is_in_the_teams_zone_unless_it_names_one() -> None:
    assert instant("2026-02-07 22:00", BERLIN) == datetime(2026, 2, 7, 21, 0, tzinfo=UTC)
    assert instant("2026-02-07T22:00:00Z", BERLIN) == datetime(2026, 2, 7, 22, 0, tzinfo=UTC)


def test_a_local_time_that_occurs_twice_means_the_first() -> None:
    assert instant("2026-10-25 02:30", BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_local_time_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(NotATimeError, match="does not exist in Europe/Berlin"):
        instant("2026-03-29 02:30", BERLIN)


def test_an_invalid_time_is_refused_with_the_expected_format() -> None:
    with pytest.raises(NotATimeError, match="Write it as 2026-02-07 22:00"):
        instant("tonight", BERLIN)
