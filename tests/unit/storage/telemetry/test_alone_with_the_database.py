"""A roll-up takes short passes so that others can write, and everything at once where nobody else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from detection.funnels.attempts import attempts
from detection.types import Event
from storage.database.session import create_database, migrate
from storage.telemetry.rollups.passes import FIRST_SIZE
from storage.telemetry.sql import SqlTelemetry

NOW = 1_770_465_600.0
WAITING = FIRST_SIZE + 200


@pytest.mark.parametrize(("is_alone", "taken"), [(False, FIRST_SIZE), (True, WAITING)])
def test_the_first_pass_is_short_unless_nobody_else_writes(tmp_path: Path, is_alone: bool, taken: int) -> None:
    url = f"sqlite:///{tmp_path / 'argux.db'}"
    migrate(url)
    engine = create_database(url)
    store = SqlTelemetry(engine, funnel_reader=attempts, segment_dimensions=[], clock=lambda: NOW, is_alone=is_alone)
    store.append_events([Event(f"e-{number}", "seen", f"user-{number}", NOW, {}) for number in range(WAITING)])

    assert store.roll_up([], now=NOW).events == taken
    engine.dispose()


def test_a_limit_holds_even_where_nobody_else_writes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'argux.db'}"
    migrate(url)
    engine = create_database(url)
    store = SqlTelemetry(engine, funnel_reader=attempts, segment_dimensions=[], clock=lambda: NOW, is_alone=True)
    store.append_events([Event(f"e-{number}", "seen", f"user-{number}", NOW, {}) for number in range(300)])

    assert store.roll_up([], now=NOW, limit=100).events == 100
    engine.dispose()
