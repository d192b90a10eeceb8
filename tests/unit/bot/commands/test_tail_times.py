"""`argux tail` reads times without a zone in the zone in which the file is written."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.commands.tail import follow, zones_of
from detection.types import LogRecord
from workers.errors import RefusedError

NOW = datetime(2026, 7, 8, 10, 4, 30, tzinfo=UTC).timestamp()
LIMA = ZoneInfo("America/Lima")


@pytest.fixture(params=["America/Lima", "Asia/Kathmandu", "UTC"])
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoneInfo]:
    """The machine's own zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield ZoneInfo(request.param)
    time.tzset()


def lines(zone: tzinfo) -> list[str]:
    local = datetime.fromtimestamp(NOW - 9, zone)
    return [
        f"{local:%Y-%m-%d %H:%M:%S},000 ERROR [press] bar fell to 0",
        f'{{"time": "{local:%Y-%m-%dT%H:%M:%S}", "level": "error", "msg": "bar fell to 0"}}',
        f"{local:%b %d %H:%M:%S} press-1 ink[7]: bar fell to 0",
    ]


def followed(path: Path, tmp_path: Path, zones: Sequence[tzinfo | None]) -> list[float]:
    """Follow the file until its lines are stored, and return their ages in seconds."""
    stop, found = threading.Event(), list[LogRecord]()

    def sink(records: Sequence[LogRecord]) -> None:
        found.extend(records)
        stop.set()

    follow([path], sink, stop, state_directory=tmp_path / "state", from_start=True, zones=zones, clock=lambda: NOW)
    return [NOW - record.happened_at for record in found]


def written(tmp_path: Path, zone: tzinfo, *, modified_at: float) -> Path:
    path = tmp_path / "press.log"
    path.write_text("".join(f"{line}\n" for line in lines(zone)))
    os.utime(path, (modified_at, modified_at))
    return path


@pytest.mark.parametrize("modified_at", [NOW - 8, NOW + 700_000])
def test_a_file_in_the_machines_own_time_is_no_hours_old(machine: ZoneInfo, tmp_path: Path, modified_at: float) -> None:
    path = written(tmp_path, machine, modified_at=modified_at)
    assert followed(path, tmp_path, zones_of(None, ZoneInfo("UTC"))) == [9.0, 9.0, 9.0]


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("Europe/Oslo")])
def test_a_file_that_is_in_utc_or_in_the_teams_zone_shows_it_by_its_last_change(
    machine: ZoneInfo, tmp_path: Path, zone: tzinfo
) -> None:
    path = written(tmp_path, zone, modified_at=NOW - 8)
    assert followed(path, tmp_path, zones_of(None, ZoneInfo("Europe/Oslo"))) == [9.0, 9.0, 9.0]


def test_a_zone_that_is_named_counts_whatever_the_file_shows(machine: ZoneInfo, tmp_path: Path) -> None:
    path = written(tmp_path, LIMA, modified_at=NOW - 100_000)
    assert followed(path, tmp_path, zones_of("America/Lima", ZoneInfo("UTC"))) == [9.0, 9.0, 9.0]


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc", "Europe"])
def test_a_zone_that_is_none_is_named_in_the_refusal(name: str) -> None:
    with pytest.raises(RefusedError, match="such as Europe/Berlin"):
        zones_of(name, ZoneInfo("UTC"))
