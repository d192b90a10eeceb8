"""One web process on SQLite, for all senders: what they send is looked up again by the API, or in the store."""

from __future__ import annotations

import gc
import os
import secrets
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from detection.funnels.attempts import attempts
from storage.database.session import create_database, read_only
from storage.telemetry.rows.tables import spans
from storage.telemetry.sql import SqlTelemetry
from tests.functional.stack import STARTS_WITHIN_SECONDS, eventually
from tests.ports import free_port

NODE = Path(__file__).parent / "node"


class Doors:
    """A running web process. `key` may only send; `api` may do all; `store` reads what was stored."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        port, self.grpc_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.grpc_address = f"127.0.0.1:{self.grpc_port}"
        database = f"sqlite:///{directory / 'argux.db'}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith(("_TOKEN", "_URL", "_proxy"))},
            "ARGUX_PORT": str(port),
            "OTLP_GRPC_PORT": str(self.grpc_port),
            "ARGUX_DATA_DIR": str(directory),
            "DATABASE_URL": database,
            "AUDIT_KEY": secrets.token_hex(16),
            "GITHUB_WEBHOOK_SECRET": secrets.token_hex(16),
            "SENTRY_CLIENT_SECRET": secrets.token_hex(16),
        }
        self._engine = create_database(database)
        self.store = SqlTelemetry(self._engine, funnel_reader=attempts, segment_dimensions=[], clock=time.time)
        self.command("migrate")
        self.key = self.command("keys", "create", "senders", "--role", "ingest").split()[0]
        operator = self.command("keys", "create", "tests").split()[0]
        self.api = httpx.Client(
            base_url=self.url,
            trust_env=False,
            timeout=60,
            headers={"Authorization": f"Bearer {operator}"},
        )
        self._process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> str:
        """Run `argux …` and return what it printed."""
        finished = subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            env=self._environment, cwd=self.directory, check=True, capture_output=True, text=True,
            timeout=STARTS_WITHIN_SECONDS,
        )  # fmt: skip
        return finished.stdout

    def start(self) -> None:
        with (self.directory / "web.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "web"],
                env=self._environment, cwd=self.directory, stdout=log, stderr=log,
            )  # fmt: skip
        eventually(self._is_up, seconds=STARTS_WITHIN_SECONDS, what="the web process")

    def stop(self) -> None:
        """End it as a service manager would; fails where it has to be killed."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(timeout=30)
            raise

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(timeout=30)

    def close(self) -> None:
        """Leave nothing running or open."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        self.api.close()
        self._engine.dispose()

    def log(self) -> str:
        return (self.directory / "web.log").read_text()

    def events_of(self, *users: str, count: int | None = None) -> list[dict[str, Any]]:
        """The stored events of these people, oldest first, once there are `count` (one a person)."""
        wanted = len(users) if count is None else count

        def look() -> list[dict[str, Any]] | None:
            page = self.api.get("/api/events", params={"limit": 1000}).raise_for_status().json()
            found = [event for event in page["events"] if event["user_id"] in users]
            return found[::-1] if len(found) >= wanted else None

        return eventually(look, seconds=60, what=f"{wanted} events of {', '.join(users)}")

    def spans(self, service: str, *, since: float) -> list[tuple[str | None, str | None, bool]]:
        """(endpoint, version, whether it failed) of a service's stored server spans that began since then."""
        columns = spans.c
        query = select(columns.endpoint, columns.version, columns.is_error).where(
            columns.service == service, columns.started_at >= since, columns.kind == "server"
        )
        with read_only(self._engine).connect() as connection:
            return [(endpoint, version, is_error) for endpoint, version, is_error in connection.execute(query)]

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the web process ended: {self.log()[-2000:]}"
        try:
            return self.api.get("/health").is_success
        except httpx.TransportError:
            return False


@pytest.fixture(scope="session")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    running = Doors(tmp_path_factory.mktemp("doors"))
    try:
        running.start()
        yield running
        running.stop()
    finally:
        running.close()
    assert "Traceback" not in running.log()


@pytest.fixture(autouse=True)
def libraries_leave_their_sockets() -> Iterator[None]:
    """Most of these libraries never close their connections; that is not ours to fail for."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def run_node(doors: Doors) -> Callable[..., str]:
    """Run one of node/*.cjs against the doors; the libraries are installed once into the virtual environment."""
    modules = _node_modules()

    def run(script: str, **variables: str) -> str:
        environment = {
            "PATH": os.environ["PATH"],
            "NODE_PATH": str(modules),
            "ARGUX_URL": doors.url,
            "ARGUX_KEY": doors.key,
            **variables,
        }
        command = ["node", str(NODE / f"{script}.cjs")]
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    return run


def _node_modules() -> Path:
    if shutil.which("node") is None or shutil.which("npm") is None:
        _unavailable("Node and npm are not on this machine")
    wanted = (NODE / "package.json").read_text()
    directory = Path(sys.prefix) / "node-senders"
    installed = directory / "package.json"
    if not installed.exists() or installed.read_text() != wanted:
        directory.mkdir(exist_ok=True)
        fresh = directory / "fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        (fresh / "package.json").write_text(wanted)
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        finished = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=300, check=False)
        if finished.returncode != 0:
            _unavailable(f"npm could not install the libraries: {finished.stderr[-500:]}")
        shutil.rmtree(directory / "node_modules", ignore_errors=True)
        (fresh / "node_modules").rename(directory / "node_modules")
        installed.write_text(wanted)
        shutil.rmtree(fresh)
    return directory / "node_modules"


def _unavailable(reason: str) -> None:
    """In CI nothing may be left out in silence."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
