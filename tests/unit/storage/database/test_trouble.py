"""What a database refuses is said in words that name the way to mend it, and nothing of the driver's own text."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError

from storage.database.session import BUSY_TIMEOUT_SECONDS, check, create_database, migrate
from storage.database.trouble import explained
from storage.errors import DatabaseUnavailableError
from tests.conftest import PostgresServer


def refused(url: str, *statements: str) -> str | None:
    """Return the words for the last statement, which the database refuses."""
    engine = create_engine(url)
    *before, last = statements
    try:
        with engine.connect() as connection:
            for statement in before:
                connection.execute(text(statement))
            with pytest.raises(DBAPIError) as caught:
                connection.execute(text(last))
    finally:
        engine.dispose()
    return explained(caught.value)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (("PRAGMA query_only = 1", "CREATE TABLE more (id INT)"), "cannot be written"),
        (("PRAGMA max_page_count = 1", "CREATE TABLE more (id INT)"), "disk that holds the database is full"),
        (("SELECT * FROM absent",), "argux migrate"),
        (("SELECT missing FROM kept",), "argux migrate"),
    ],
)
def test_what_sqlite_refuses_is_said_with_how_to_mend_it(
    tmp_path: Path, statements: tuple[str, ...], words: str
) -> None:
    with sqlite3.connect(tmp_path / "argux.db") as connection:
        connection.execute("CREATE TABLE kept (id INT)")

    assert words in str(refused(f"sqlite:///{tmp_path / 'argux.db'}", *statements))


def test_a_file_that_is_no_database_and_a_directory_that_cannot_be_made_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Not a database, and long enough to be looked at. " * 20)

    with pytest.raises(DatabaseUnavailableError, match="is no SQLite database"):
        migrate(f"sqlite:///{tmp_path / 'notes.txt'}")
    with pytest.raises(DatabaseUnavailableError, match=r"cannot be opened.* directory"):
        create_database(f"sqlite:///{tmp_path / 'notes.txt' / 'below' / 'argux.db'}")
    with pytest.raises(DatabaseUnavailableError, match=r"cannot be opened.* directory"):
        migrate(f"sqlite:///{tmp_path}")


def test_a_file_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "argux.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE kept (id INT)")
    began = time.monotonic()

    with pytest.raises(DatabaseUnavailableError, match="cannot be written"):
        migrate(f"sqlite:///file:{path}?mode=ro&uri=true")

    assert time.monotonic() - began < BUSY_TIMEOUT_SECONDS / 2


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL:  password authentication failed for user "argux"', "refuses the password"),
        ("fe_sendauth: no password supplied", "wants a password"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.3", user "argux", no encryption', "pg_hba.conf"),
        ('FATAL:  role "argux" does not exist', "user that DATABASE_URL names is not there"),
        ('FATAL:  database "argux" does not exist', "database that DATABASE_URL names is not there"),
        ("[Errno -2] failed to resolve host 'db': Name or service not known", "host name"),
        (
            "connection failed: connection to server at 10.0.0.3, port 5432 failed: Connection refused",
            "Nothing listens",
        ),
        ('connection to server on socket "/run/.s.PGSQL.5432" failed: No such file or directory', "socket"),
        ("connection timeout expired", "gives no answer"),
        ("FATAL:  sorry, too many clients already", "max_connections"),
        ("FATAL:  the database system is starting up", "Try again in a moment"),
        ("server does not support SSL, but SSL was required", "no TLS"),
    ],
)
def test_what_postgresql_says_while_connecting_is_said_with_how_to_mend_it(said: str, words: str) -> None:
    told = explained(OperationalError("SELECT 1", {}, psycopg.OperationalError(said)))

    assert told is not None
    assert words in told
    assert not any(private in told for private in ("10.0.0.3", "argux'", '"argux"', "/run/"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://argux:secret@127.0.0.1:1/argux", "Nothing listens"),
        ("postgresql://argux@/argux?host=/nowhere", "Nothing listens at the database's socket"),
    ],
)
def test_a_server_that_is_not_there_is_refused_at_once(url: str, words: str) -> None:
    with pytest.raises(DatabaseUnavailableError, match=words):
        migrate(url)


def test_a_real_postgresql_tells_a_wrong_name_a_wrong_user_and_a_lack_of_rights_apart(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_server.url("argux")
    postgres_server.run("CREATE ROLE nobody_yet LOGIN")
    try:
        with pytest.raises(DatabaseUnavailableError, match="database that DATABASE_URL names is not there"):
            migrate(postgres_server.url("elsewhere"))
        with pytest.raises(DatabaseUnavailableError, match="user that DATABASE_URL names is not there"):
            migrate(url.replace("postgres@", "somebody@"))
        poor = url.replace("postgres@", "nobody_yet@")
        assert "may not do that" in str(refused(poor, "CREATE TABLE more (id INT)"))
        assert "argux migrate" in str(refused(url, "SELECT * FROM absent"))
    finally:
        postgres_server.run("DROP ROLE nobody_yet")


def test_a_database_of_a_newer_argux_is_neither_migrated_nor_called_outdated(database_url: str, engine: Engine) -> None:
    with engine.begin() as connection:
        [known] = connection.execute(text("SELECT version_num FROM alembic_version")).scalars()
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        for look in (lambda: migrate(database_url), lambda: check(engine)):
            with pytest.raises(DatabaseUnavailableError, match="9999, is of a newer Argux than this one"):
                look()
    finally:
        with engine.begin() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :known"), {"known": known})


def test_a_migration_that_fails_changes_nothing_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "argux.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE incidents (somebody_elses INT)")

    with pytest.raises(DatabaseUnavailableError, match=r"from nothing: table .* already exists\. Nothing was changed"):
        migrate(f"sqlite:///{path}")

    with sqlite3.connect(path) as connection:
        assert [name for (name,) in connection.execute("SELECT name FROM sqlite_master")] == ["incidents"]
