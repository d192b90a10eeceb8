"""The machine's time zone: TZ, else what /etc/localtime points to, else UTC."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.setup.completeness import start_notes
from bot.setup.zones import machine_zone
from workers.settings import Settings


@pytest.fixture
def local_time(tmp_path: Path) -> Path:
    zone = tmp_path / "zoneinfo" / "Asia" / "Tokyo"
    zone.parent.mkdir(parents=True)
    zone.touch()
    link = tmp_path / "localtime"
    link.symlink_to(zone)
    return link


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Europe/Berlin", "Europe/Berlin"),
        ("", "Asia/Tokyo"),
        ("CEST-2", "Asia/Tokyo"),
        ("Etc/UTC", "UTC"),
        ("../etc", "Asia/Tokyo"),
    ],
)
def test_the_environment_comes_first_and_then_the_link(local_time: Path, written: str, zone: str) -> None:
    assert machine_zone({"TZ": written}, local_time) == zone


def test_without_either_it_is_utc(tmp_path: Path) -> None:
    assert machine_zone({}, tmp_path / "absent") == "UTC"


def test_a_start_on_a_machine_in_another_zone_says_which_setting_sets_the_clock() -> None:
    unset = Settings.model_validate({})
    chosen = Settings.model_validate({"argux_timezone": "UTC"})

    assert any("ARGUX_TIMEZONE=Asia/Tokyo" in note for note in start_notes(unset, zone="Asia/Tokyo"))
    for settings, zone in ((unset, "Etc/UTC"), (chosen, "Asia/Tokyo")):
        assert not any("ARGUX_TIMEZONE" in note for note in start_notes(settings, zone=zone))
