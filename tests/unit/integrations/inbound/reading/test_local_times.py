"""Times without a zone in a log file of this machine, and the hour that comes twice."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from integrations.inbound.reading.local_times import FileTimes

ROME, DENVER, KOLKATA = ZoneInfo("Europe/Rome"), ZoneInfo("America/Denver"), ZoneInfo("Asia/Kolkata")
HOUR = 3600.0


def line(moment: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(moment, zone):%Y-%m-%d %H:%M:%S} ERROR refused"


def at(zone: tzinfo, *when: int, fold: int = 0) -> float:
    year, month, day, hour, minute = when
    return datetime(year, month, day, hour, minute, tzinfo=zone, fold=fold).timestamp()


def read(times: FileTimes, moment: float, zone: tzinfo, *, now: float) -> float:
    return times.reading(now)(datetime.fromtimestamp(moment, zone).replace(tzinfo=None, fold=0))


@pytest.mark.parametrize("written_in", [ROME, DENVER, KOLKATA, UTC])
def test_the_zone_in_which_the_last_line_is_as_old_as_the_files_last_change_is_the_files(written_in: tzinfo) -> None:
    now = at(UTC, 2026, 6, 1, 12, 0)
    times = FileTimes((KOLKATA, UTC, ROME, DENVER))
    times.compare([line(now - 40, written_in), "  at Press.run(Press.java:7)"], modified_at=now - 38)
    assert read(times, now - 40, written_in, now=now) == now - 40


@pytest.mark.parametrize(
    "last_lines", [[], ["no time"], ["2026-06-01T12:00:00Z ERROR"], ["0001-01-01 00:00:00 unset"], [line(1e9, UTC)]]
)
def test_without_evidence_the_first_zone_counts(last_lines: list[str]) -> None:
    now = at(UTC, 2026, 6, 1, 12, 0)
    times = FileTimes((DENVER, UTC))
    times.compare(last_lines, modified_at=now)
    assert read(times, now - 5, DENVER, now=now) == now - 5


def test_a_zone_that_was_named_is_not_guessed() -> None:
    now = at(UTC, 2026, 6, 1, 12, 0)
    times = FileTimes((ROME,))
    times.compare([line(now, UTC)], modified_at=now)
    assert read(times, now - 9 * HOUR, ROME, now=now) == now - 9 * HOUR


@pytest.mark.parametrize("fold", [0, 1])
def test_what_is_read_as_it_is_written_in_the_hour_that_comes_twice_happened_just_now(fold: int) -> None:
    times = FileTimes((ROME, UTC))
    for minute in (1, 20, 59):
        moment = at(ROME, 2026, 10, 25, 2, minute, fold=fold)
        assert read(times, moment, ROME, now=moment + 1) == moment


def test_in_a_file_that_is_read_later_time_goes_on_forward_through_the_hour_that_comes_twice() -> None:
    times = FileTimes((DENVER,))
    first = at(DENVER, 2026, 11, 1, 0, 50)
    moments = [first + minutes * 60 for minutes in range(0, 200, 7)]
    assert [read(times, moment, DENVER, now=first + 90 * HOUR) for moment in moments] == moments


def test_lines_a_little_out_of_order_do_not_end_the_first_of_the_two_hours() -> None:
    times = FileTimes((DENVER,))
    later = at(DENVER, 2026, 11, 1, 1, 30)
    now = later + 90 * HOUR
    assert [read(times, moment, DENVER, now=now) for moment in (later, later - 20, later + 5)] == [
        later, later - 20, later + 5,
    ]  # fmt: skip


def test_the_hour_that_does_not_come_in_spring_is_read_all_the_same() -> None:
    written = datetime(2026, 3, 29, 2, 30)
    assert FileTimes((ROME,)).reading(at(UTC, 2026, 3, 30, 0, 0))(written) == at(UTC, 2026, 3, 29, 1, 30)
