"""Whose an id is, is found by an index: a roll-up reads neither all ids nor all events for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from detection.funnels.attempts import attempts
from detection.types import AlsoKnownAs, Event, FunnelDefinition, FunnelStep
from storage.database.session import create_database, migrate
from storage.telemetry.sql import SqlTelemetry

NOW = 1_770_465_600.0
FUNNEL = FunnelDefinition(1, "Club", (FunnelStep("seen", "seen"), FunnelStep("joined", "joined")), 600.0, 7)
TABLES = ("person_ids", "whose", "own", "others", "events", "funnel_progress")


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path / 'argux.db'}"
    migrate(url)
    engine = create_database(url)
    yield engine
    engine.dispose()


@contextmanager
def plans(engine: Engine) -> Iterator[list[str]]:
    """Collect how SQLite looks for what each SELECT on the ids of people wants."""
    found: list[str] = []

    def explain(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "person_ids" in statement and statement.lstrip().upper().startswith(("SELECT", "WITH", "DELETE")):
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[attr-defined]
            found.extend(row[3] for row in cursor.fetchall())  # type: ignore[attr-defined]

    event.listen(engine, "before_cursor_execute", explain)
    yield found
    event.remove(engine, "before_cursor_execute", explain)


def test_a_roll_up_and_an_expiry_find_the_ids_of_people_by_an_index(sqlite: Engine) -> None:
    clock = [NOW]
    store = SqlTelemetry(sqlite, funnel_reader=attempts, segment_dimensions=[], clock=lambda: clock[0])
    for number in range(300):
        sign_in = Event(f"in-{number}", "in", f"user-{number}", NOW, {}, AlsoKnownAs(f"device-{number}"))
        store.append_events([sign_in, replace(sign_in, event_id=f"seen-{number}", event="seen", also_known_as=None)])
    store.roll_up([FUNNEL], now=NOW)
    with sqlite.begin() as connection:
        connection.execute(text("ANALYZE"))
    with plans(sqlite) as found:
        store.append_events([Event("last", "joined", "user-7", NOW + 5, {}, AlsoKnownAs("tablet"))])
        store.roll_up([FUNNEL], now=NOW + 10)
        clock[0] += 8 * 86_400
        store.expire(now=clock[0])
    scans = [line for line in found if line.startswith("SCAN") and line.split()[1] in TABLES]
    assert len(found) > 10
    assert scans == [], "\n".join(found)
