from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.commands.query import query
from storage.telemetry.archive import compaction
from storage.telemetry.archive.cold_store import write_parquet
from storage.telemetry.archive.compaction import SMALL_FILES, compact, finish_compaction
from storage.telemetry.archive.erasure import erase_user
from storage.telemetry.archive.layout import DRAFTS, KINDS, files

EVENTS = next(kind for kind in KINDS if kind.name == "events")
DAY = "day=2026-02-07"
NOW = 1_770_465_600.0


class PowerCut(BaseException):
    """Simulates a crash: no handler for Exception catches it."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An archive with just enough small files to be merged, two rows each."""
    home = tmp_path / "it's" / "events" / DAY
    home.mkdir(parents=True)
    for number in range(SMALL_FILES):
        rows: list[Any] = [
            (f"e{number}-{who}", "view", who, who, NOW, NOW, '{"country":"de"}') for who in ("ana", "ben")
        ]
        write_parquet(home / f"{number}.parquet", EVENTS, rows)
    return home.parents[1]


def counted(directory: Path) -> Any:
    asked = "SELECT count(*), count(DISTINCT event_id), min(day), max(properties->>'country') FROM events"
    return query(directory, asked).rows[0]


ALL_ONCE = (2 * SMALL_FILES, 2 * SMALL_FILES, date(2026, 2, 7), "de")


def test_the_small_files_of_a_day_become_one_with_the_same_rows(directory: Path) -> None:
    compact(directory)
    assert len(files(directory, "events")) == 1
    assert counted(directory) == ALL_ONCE
    assert list((directory / DRAFTS).iterdir()) == []


def test_a_few_small_files_are_left_as_they_are(directory: Path) -> None:
    (directory / "events" / DAY / "0.parquet").unlink()
    before = files(directory, "events")
    compact(directory)
    assert files(directory, "events") == before


def test_a_large_file_stays_beside_the_file_merged_from_the_small_ones(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = directory / "events" / DAY / "large.parquet"
    rows: list[Any] = [
        (f"large{number:032x}", "view", "ana", "ana", NOW, NOW, '{"country":"de"}') for number in range(500)
    ]
    write_parquet(large, EVENTS, rows)
    monkeypatch.setattr(compaction, "SMALL_BYTES", large.stat().st_size)
    compact(directory)
    assert len(files(directory, "events")) == 2
    assert large in files(directory, "events")
    assert counted(directory)[:2] == (2 * SMALL_FILES + 500, 2 * SMALL_FILES + 500)


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_crash_between_any_two_renames_loses_and_duplicates_nothing(
    renames: int, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([True] * renames)
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if not next(left, False):
            raise PowerCut
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(PowerCut):
            compact(directory)
    finish_compaction(directory)
    assert counted(directory) == ALL_ONCE
    assert list((directory / DRAFTS).iterdir()) == []


def test_a_crash_before_the_cleanup_leaves_every_row_once(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crashes(*_: object) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr("storage.telemetry.archive.compaction.shutil.rmtree", crashes)
        with pytest.raises(PowerCut):
            compact(directory)
    finish_compaction(directory)
    assert counted(directory) == ALL_ONCE
    assert list((directory / DRAFTS).iterdir()) == []


def test_a_person_erased_after_a_crashed_compaction_does_not_come_back(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if target.name == DAY:
            raise PowerCut
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(PowerCut):
            compact(directory)
    assert erase_user(directory, ["ana"]) == SMALL_FILES
    finish_compaction(directory)
    assert query(directory, "SELECT DISTINCT user_id FROM events").rows == [("ben",)]


def test_a_full_disk_leaves_the_day_as_it_was(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = files(directory, "events")
    monkeypatch.setattr(compaction, "_merge", disk_full)
    with pytest.raises(OSError, match="No space"):
        compact(directory)
    assert files(directory, "events") == before
    assert list((directory / DRAFTS).iterdir()) == []
