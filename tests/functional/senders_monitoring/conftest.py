"""One web process on SQLite, for senders that need no more: no broker, no workers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from detection.types import LogRecord
from storage.database.session import create_database
from storage.telemetry.sql import SqlTelemetry
from tests.functional.stack import STARTS_WITHIN_SECONDS, eventually
from tests.ports import free_port

ARRIVES_WITHIN_SECONDS = 60.0
CLIENT_SECRET = "a-client-secret"


@dataclass
class Door:
    """A running web process; `key` opens its doors, `logs` reads what it stored from its database."""

    url: str
    key: str
    syslog_port: int
    environment: dict[str, str]
    directory: Path
    telemetry: SqlTelemetry

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def logs(self) -> Sequence[LogRecord]:
        """Every log record, oldest first."""
        return list(reversed(self.telemetry.log_samples(since=0.0, until=1e11, limit=10_000)))

    def wait_for(self, count: int) -> Sequence[LogRecord]:
        """The log records once there are as many."""
        eventually(lambda: len(self.logs()) >= count, seconds=ARRIVES_WITHIN_SECONDS, what=f"{count} log records")
        return self.logs()

    def metrics(self) -> str:
        return httpx.get(f"{self.url}/metrics", trust_env=False, timeout=60).text


def command(environment: dict[str, str], directory: Path, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "bot.cli", *arguments],
        env=environment, cwd=directory, check=True, capture_output=True, text=True,
        timeout=STARTS_WITHIN_SECONDS,
    )  # fmt: skip
    return finished.stdout


def missing(what: str, how: str) -> None:
    """A tool is not here: a gap in CI, a reason to skip on somebody's own machine."""
    reason = f"{what} is not installed: {how}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Argux's web process, its database migrated, a key made."""
    directory = tmp_path_factory.mktemp("door")
    port, syslog_port = free_port(), free_port()
    database_url = f"sqlite:///{directory / 'argux.db'}"
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_TOKEN", "_URL", "_proxy"))}
    environment = kept | {
        "ARGUX_PORT": str(port),
        "ARGUX_DATA_DIR": str(directory / "data"),
        "DATABASE_URL": database_url,
        "SYSLOG_PORT": str(syslog_port),
        "SENTRY_CLIENT_SECRET": CLIENT_SECRET,
        "NO_PROXY": "127.0.0.1",
    }
    command(environment, directory, "migrate")
    key = command(environment, directory, "keys", "create", "senders", "--role", "ingest").strip()
    url = f"http://127.0.0.1:{port}"
    with (directory / "web.log").open("wb") as log:
        web = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "web"], env=environment, cwd=directory, stdout=log, stderr=log
        )

    def answers() -> bool:
        assert web.poll() is None, (directory / "web.log").read_text()[-2000:]
        try:
            return httpx.get(f"{url}/health", trust_env=False).is_success
        except httpx.TransportError:
            return False

    engine = create_database(database_url)
    telemetry = SqlTelemetry(engine, funnel_reader=lambda funnel, events: [], segment_dimensions=[], clock=time.time)
    try:
        eventually(answers, seconds=STARTS_WITHIN_SECONDS, what="the web process")
        yield Door(url, key, syslog_port, environment, directory, telemetry)
    finally:
        engine.dispose()
        web.terminate()
        try:
            web.wait(timeout=30)
        except subprocess.TimeoutExpired:
            web.kill()
            web.wait(timeout=30)
