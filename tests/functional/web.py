"""One web process on a database of its own: started, stopped, killed, and asked what it has stored."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from detection.funnels.attempts import attempts
from detection.types import LogRecord
from storage.database.session import create_database, read_only, sessions
from storage.keys import create_key
from storage.telemetry.rows.tables import spans
from storage.telemetry.sql import SqlTelemetry
from tests.functional.stack import STARTS_WITHIN_SECONDS, eventually
from tests.ports import free_port


class Web:
    """A web process on a migrated database. `key` may only send data; `api` may do everything.

    `store` and `logs` read what was stored from the database, not through the process.
    """

    def __init__(self, directory: Path, database_url: str, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith(("_TOKEN", "_URL", "_proxy"))},
            "NO_PROXY": "127.0.0.1",
            "ARGUX_PORT": str(self.port),
            "ARGUX_DATA_DIR": str(directory / "data"),
            "DATABASE_URL": database_url,
            "AUDIT_KEY": secrets.token_hex(16),
            **(settings or {}),
        }
        self._engine = create_database(database_url)
        self.store = SqlTelemetry(self._engine, funnel_reader=attempts, segment_dimensions=[], clock=time.time)
        with sessions(self._engine).begin() as session:
            self.key = create_key(session, "senders", role="ingest", now=datetime.now(UTC))
            operator = create_key(session, "tests", now=datetime.now(UTC))
        self.headers = {"X-API-Key": self.key}
        self.api = httpx.Client(
            base_url=self.url, trust_env=False, timeout=60, headers={"Authorization": f"Bearer {operator}"}
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.directory / "web.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "web"],
                env=self.environment, cwd=self.directory, stdout=log, stderr=log,
            )  # fmt: skip
        eventually(self._is_up, seconds=STARTS_WITHIN_SECONDS, what="the web process")

    def stop(self) -> None:
        """End the process as a service manager would; fail where it has to be killed."""
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
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

    def metrics(self) -> str:
        return httpx.get(f"{self.url}/metrics", trust_env=False, timeout=60).text

    def has_refused(self) -> bool:
        """Whether the process has asked a sender to retry because the database was unavailable."""
        return bool(re.search(r'argux_ingest_rejected_total\{.*reason="unavailable"\} [1-9]', self.metrics()))

    def post(self, body: object) -> httpx.Response:
        return httpx.post(f"{self.url}/api/events", json=body, headers=self.headers, timeout=60, trust_env=False)

    def logs(self) -> Sequence[LogRecord]:
        """Every stored log record, oldest first."""
        return list(reversed(self.store.log_samples(since=0.0, until=1e11, limit=10_000)))

    def events_of(self, *users: str, count: int | None = None) -> list[dict[str, Any]]:
        """Return the stored events of these users, oldest first, once there are `count` (default: one a user)."""
        wanted = len(users) if count is None else count

        def look() -> list[dict[str, Any]] | None:
            page = self.api.get("/api/events", params={"limit": 1000}).raise_for_status().json()
            found = [event for event in page["events"] if event["user_id"] in users]
            return found[::-1] if len(found) >= wanted else None

        return eventually(look, seconds=60, what=f"{wanted} events of {', '.join(users)}")

    def spans(self, service: str, *, since: float) -> list[tuple[str | None, str | None, bool]]:
        """Return (endpoint, version, is_error) of a service's stored server spans that began at or after `since`."""
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


@contextmanager
def running_web(directory: Path, database_url: str, settings: Mapping[str, str] | None = None) -> Iterator[Web]:
    """Start a web process on a migrated database; kill it at the end."""
    web = Web(directory, database_url, settings)
    try:
        web.start()
        yield web
    finally:
        web.close()
