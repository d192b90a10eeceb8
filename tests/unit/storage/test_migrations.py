from __future__ import annotations

import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect

from storage.database.session import check, migrate
from storage.errors import DatabaseUnavailableError
from storage.telemetry.hot.partitions import SENDERS_IDS, are_used, partitions, prepare_partitions
from storage.telemetry.rows.tables import events

Open = Callable[[str], Engine]


def test_after_migrating_the_database_has_exactly_the_tables_that_the_models_describe(engine: Engine) -> None:
    prepare_partitions(engine, now=1_770_465_600.0)
    with engine.connect() as connection:
        kept_by_partitions = set()
        for table, key in SENDERS_IDS.items() if are_used(connection) else ():
            for partition in partitions(connection, table):
                indexes = inspect(connection).get_indexes(partition.name)
                assert [index["column_names"] for index in indexes if index["unique"]] == [list(key)]
                kept_by_partitions.add(partition.name)
            kept_by_partitions |= {f"uq_{table.name}_{key[0]}"}

        def is_compared(item: object, name: str | None, *_: object) -> bool:
            return name not in kept_by_partitions

        options = {"compare_type": True, "compare_server_default": True, "include_object": is_compared}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), events.metadata) == []


def test_migrating_again_changes_nothing(database_url: str, engine: Engine) -> None:
    before = inspect(engine).get_table_names()
    migrate(database_url)
    assert inspect(engine).get_table_names() == before
    assert "events" in before


def test_a_new_database_may_be_migrated_by_several_processes_at_once(
    tmp_path: Path, open_database: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Five wait for the first, which can take a while on a busy machine.
    monkeypatch.setattr("storage.database.session.BUSY_TIMEOUT_SECONDS", 60)
    url = f"sqlite:///{tmp_path / 'new.db'}"
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(migrate, [url] * 6))
    assert check(open_database(url)).startswith("SQLite")


def test_migrating_does_not_change_the_applications_logging(tmp_path: Path) -> None:
    root = logging.getLogger()
    application = logging.getLogger("argux.test")
    before = (root.level, list(root.handlers), application.disabled)
    migrate(f"sqlite:///{tmp_path / 'new.db'}")
    assert (root.level, list(root.handlers), application.disabled) == before


def test_the_error_for_a_database_without_schema_names_the_command_that_fixes_it(
    tmp_path: Path, open_database: Open
) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(DatabaseUnavailableError, match="argux migrate"):
        check(engine)


def test_a_healthy_database_names_itself_and_its_revision(engine: Engine) -> None:
    assert re.search(r", schema \d{4}$", check(engine))


def test_the_error_for_an_unreachable_server_says_what_to_check(open_database: Open) -> None:
    engine = open_database("postgresql://argux@127.0.0.1:1/argux")
    with pytest.raises(DatabaseUnavailableError, match="DATABASE_URL"):
        check(engine)
