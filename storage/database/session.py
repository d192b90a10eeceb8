"""Connect to the database, SQLite (WAL) or PostgreSQL, one engine per process; run its migrations."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from storage.database.patience import Patience, current_patience
from storage.database.trouble import CANNOT_OPEN, NO_ANSWER, NO_TABLES, explained
from storage.errors import DatabaseUnavailableError

if TYPE_CHECKING:
    # Loaded where a schema is brought up or looked at: a fifth of the start of a command that does neither.
    from alembic.config import Config
    from alembic.script import ScriptDirectory

BUSY_TIMEOUT_SECONDS = 10
_LOOK_MILLISECONDS = 8
_CACHE_KIBIBYTES = 16 * 1024
_PAGES_BEFORE_CHECKPOINT = 8_000
_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_OTHERS_AT_WORK = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)
_READ_ONLY = {"postgresql_readonly": True, "sqlite_begin": "BEGIN"}


def create_database(url: str) -> Engine:
    """Create the engine for "sqlite:///path" or "postgresql://…", without connecting yet.

    On SQLite every transaction begins IMMEDIATE, so that a second writer waits at the beginning (at most 10 s, or its
    Patience) instead of failing half-way, when a read turns into a write. Keep transactions short, and use `readers`
    where nothing is written.
    Raises ValueError for any other kind of database, including SQLite's in-memory database, which threads cannot share,
    and DatabaseUnavailableError if the directory of SQLite's file is not there and cannot be made.
    """
    parsed = _normalised(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed, pool_size=10, max_overflow=20, pool_pre_ping=True, connect_args={"connect_timeout": 10}
        )
    try:
        Path(parsed.database or "").parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailableError(CANNOT_OPEN) from error
    engine = create_engine(
        parsed,
        pool_size=5,
        max_overflow=35,
        # Reuse the most recently returned connection first: few connections stay in use, with warm caches.
        pool_use_lifo=True,
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def sessions(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions that may write: `with sessions(engine).begin() as session: ...`.

    Objects stay usable after commit.
    """
    return sessionmaker(engine, expire_on_commit=False)


def readers(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions that only read: they never wait for writers, and see one snapshot on SQLite."""
    return sessionmaker(read_only(engine), expire_on_commit=False)


def snapshots(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of sessions that only read and see one snapshot, for comparing tables that others write to."""
    if engine.dialect.name == "postgresql":
        return sessionmaker(engine.execution_options(isolation_level="REPEATABLE READ"), expire_on_commit=False)
    return readers(engine)


def read_only(engine: Engine) -> Engine:
    """Return the same engine, with the same pool, for transactions that only read."""
    return engine.execution_options(**_READ_ONLY)


def migrate(url: str) -> None:
    """Migrate the schema to the newest revision. Safe to run from several processes at once.

    Raises DatabaseUnavailableError, with a text that says how to mend it, if the database cannot be reached, is of a
    newer Argux, or refuses a migration; then nothing is changed, because they are one transaction.
    """
    from alembic import command
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    engine = create_database(url)
    found: str | None = None
    try:
        with engine.begin() as connection:
            configuration = _alembic()
            found = MigrationContext.configure(connection).get_current_revision()
            _known_revision(found, ScriptDirectory.from_config(configuration))
            configuration.attributes["connection"] = connection
            command.upgrade(configuration, "head")
    except DBAPIError as error:
        words = explained(error)
        if words is None or words == NO_TABLES:
            words = _refused_migration(found, error)
        raise DatabaseUnavailableError(words) from error
    finally:
        engine.dispose()


def check(engine: Engine) -> str:
    """Return the database's name, version and schema revision.

    Raises DatabaseUnavailableError, with a text that says how to fix it, if it does not answer or its schema is not the
    one this version needs.
    """
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    try:
        with read_only(engine).connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            version = ".".join(str(part) for part in connection.dialect.server_version_info or ())
    except DBAPIError as error:
        words = explained(error) or (NO_ANSWER if isinstance(error, OperationalError) else None)
        if words is None:
            raise
        raise DatabaseUnavailableError(words) from error
    scripts = ScriptDirectory.from_config(_alembic())
    wanted = scripts.get_current_head()
    if _known_revision(found, scripts) != wanted:
        raise DatabaseUnavailableError(
            f"The database's schema is at {found or 'nothing'}, this version needs {wanted}. Run `argux migrate`."
        )
    name = "PostgreSQL" if engine.dialect.name == "postgresql" else "SQLite"
    return f"{name} {version or sqlite3.sqlite_version}, schema {found}"


def _known_revision(found: str | None, scripts: ScriptDirectory) -> str | None:
    """Return a database's revision. Raises DatabaseUnavailableError if this version of Argux has no such revision."""
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise DatabaseUnavailableError(
            f"The database's schema, {found}, is of a newer Argux than this one. Install that version again, or name "
            "another database in DATABASE_URL, such as a backup from before."
        )
    return found


def _refused_migration(found: str | None, error: DBAPIError) -> str:
    said = next(iter(str(error.orig).splitlines()), "")
    return (
        f"The database could not be brought to this version's schema from {found or 'nothing'}: "
        f"{said.rstrip('.') or type(error.orig).__name__}. Nothing was changed: the version that ran before still runs."
    )


def _normalised(url: str) -> URL:
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError(f"DATABASE_URL must begin with sqlite:/// or postgresql://, not {backend}")
    if parsed.database in {None, "", ":memory:"}:
        raise ValueError("DATABASE_URL must name a file, such as sqlite:///.argux/argux.db")
    return parsed


def _alembic() -> Config:
    from alembic.config import Config

    configuration = Config()
    # Alembic's configuration treats % as the start of an interpolation.
    configuration.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _prepare_sqlite(connection: sqlite3.Connection, record: Any) -> None:
    """Set up a new SQLite connection: durable commits, and transactions begun by SQLAlchemy, not late by the driver."""
    connection.isolation_level = None
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    # Telemetry's ids are random: with SQLite's default cache of 2 MB every insert would read and write its own page.
    cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIBIBYTES}")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {_PAGES_BEFORE_CHECKPOINT}")
    cursor.close()


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    """Switch the file to WAL, which is permanent; retry, because SQLite does not wait when several connections try.

    A file that cannot be opened or written is refused at once.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _OTHERS_AT_WORK or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("sqlite_begin")
    if reading is not None:
        connection.exec_driver_sql(reading)
        return
    patience = current_patience() or Patience(BUSY_TIMEOUT_SECONDS)
    with patience.spending() as seconds:
        _begin_writing(connection, seconds)


def _begin_writing(connection: Connection, seconds: float) -> None:
    """Begin a writing transaction; wait at most `seconds` for other writers. Only the beginning waits.

    SQLite itself looks less and less often, up to every 100 ms, and so misses the gaps of a busy writer. Waiting anew
    after each few milliseconds finds them.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    deadline = time.monotonic() + seconds
    driver.execute(f"PRAGMA busy_timeout = {_LOOK_MILLISECONDS}")
    try:
        while time.monotonic() < deadline - _LOOK_MILLISECONDS / 1000:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
