"""docs/architecture.md names every room, and only what is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
FLOORS = ("bot", "workers", "integrations", "storage", "detection")
ROOMS = sorted(
    folder.relative_to(ROOT).as_posix()
    for floor in (*FLOORS, "storage/telemetry", "integrations/inbound")
    for folder in (ROOT / floor).iterdir()
    if (folder / "__init__.py").exists()
)


def test_every_path_on_the_page_exists() -> None:
    named = re.findall(rf"`((?:{'|'.join(FLOORS)}|tests|docs)/[\w./]+)`", PAGE)
    assert len(named) > 30
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_is_on_the_page(room: str) -> None:
    name = room.rpartition("/")[2]
    assert re.search(rf"`(?:[\w/]+/)?{name}/?`", PAGE), f"docs/architecture.md does not name the room {room}"
