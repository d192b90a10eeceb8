from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Engine, MetaData, Table, inspect, text

from detection.funnels.attempts import attempts
from storage.database import session as database
from storage.telemetry.protocol import Appended
from storage.telemetry.rows.senders_ids import lengthened, shortened
from storage.telemetry.sql import SqlTelemetry
from tests.conftest import PostgresServer
from tests.contract.storage.telemetry.records import ENDPOINT, NOW, make_event, request_spans

IDS = (
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    "0f8fad5bd9cb469fa16570867728950e",
    "0F8FAD5B-é'x",
    "u1:view:1.0",
    "deadbeef",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database that is not migrated yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'before.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    server.run("DROP DATABASE IF EXISTS moving WITH (FORCE)", "CREATE DATABASE moving")
    return server.url("moving")


@pytest.fixture
def before(url: str) -> Iterator[Engine]:
    """A database with records, at the revision before the partitions (0008)."""
    engine = database.create_database(url)
    migrate_to(engine, "0008")
    with engine.begin() as connection:
        tables = MetaData()
        events, spans, requests = (
            Table(name, tables, autoload_with=connection) for name in ("events", "spans", "requests")
        )
        for number, event_id in enumerate(IDS):
            values = {"event": "view", "user_id": f"u{number}", "happened_at": NOW + number, "properties": "{}"}
            connection.execute(events.insert().values(event_id=event_id, arrived_at=NOW + 2000 * number, **values))
        for span in request_spans("t1", NOW, queries=1):
            values = {name: getattr(span, name) for name in (column.name for column in spans.c) if hasattr(span, name)}
            connection.execute(spans.insert().values(**values | {"arrived_at": NOW + 7, "kind": span.kind.value}))
        request = {"sequence": 3, "trace_id": "t1", "span_id": "t1-s", "service": "shop", "endpoint": ENDPOINT}
        measured = {"started_at": NOW, "duration_ms": 12.0, "query_count": 1, "is_error": False}
        connection.execute(requests.insert().values(**request, **measured))
        connection.execute(text("INSERT INTO rollup_marks (kind, sequence) VALUES ('events', 5), ('spans', 3)"))
    yield engine
    engine.dispose()


def migrate_to(engine: Engine, revision: str, *, down: bool = False) -> None:
    with engine.begin() as connection:
        configuration = database._alembic()
        configuration.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(configuration, revision)


def test_existing_records_survive_the_migration_and_are_recognised_as_duplicates(before: Engine) -> None:
    migrate_to(before, "head")
    store = SqlTelemetry(before, funnel_reader=attempts, segment_dimensions=[], clock=lambda: NOW + 9000)
    assert [event.event_id for event in store.recent_events()] == list(reversed(IDS))
    assert store.append_events([make_event("view", "u9", NOW, event_id) for event_id in IDS]) == Appended(0, 5)
    assert store.append_spans(request_spans("t1", NOW, queries=1)) == Appended(0, 3)
    assert [sample.trace_id for sample in store.request_samples("shop", ENDPOINT, since=0, until=NOW + 9)] == ["t1"]
    with before.connect() as connection:
        assert connection.scalar(text("SELECT arrived_at FROM requests")) == NOW + 7
    assert store.append_events([make_event("view", "u9", NOW, "new")]) == Appended(1, 0)
    taken = store.roll_up([], now=NOW + 9000)
    assert (taken.events, taken.spans) == (1, 0)


def test_the_downgrade_keeps_the_records_and_their_ids(before: Engine) -> None:
    constraints = inspect(before).get_unique_constraints("events")
    migrate_to(before, "head")
    migrate_to(before, "0008", down=True)
    with before.connect() as connection:
        found = connection.execute(text("SELECT event_id FROM events ORDER BY sequence")).scalars().all()
        assert connection.scalar(text("SELECT max(sequence) FROM spans")) == 3
    assert tuple(found) == IDS
    assert inspect(before).get_unique_constraints("events") == constraints
    migrate_to(before, "head")


@pytest.mark.parametrize(
    "identifier", [*IDS, "", "é" * 8, "ab" * 32, "AB" * 16, "0f8fad5b-d9cb-469f-a165-70867728950E"]
)
def test_an_id_is_read_back_as_the_sender_wrote_it(identifier: str) -> None:
    short = shortened(identifier)
    assert lengthened(identifier.encode() if short is None else short) == identifier
    assert short is None or len(short) <= 1 + len(identifier) // 2


def test_no_two_ids_are_stored_as_one() -> None:
    stored = {shortened(identifier) or identifier.encode() for identifier in IDS}
    assert len(stored) == len(IDS)
