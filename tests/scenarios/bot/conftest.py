"""A whole web process on a real SQLite file with real telemetry. Dramatiq's stub broker replaces Redis."""

from __future__ import annotations

import hashlib
import hmac
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from dramatiq.brokers.stub import StubBroker
from fastapi.testclient import TestClient
from pydantic import SecretStr

from bot.web.app import create_app
from storage.keys import create_key
from workers.queueing.queues import BACKGROUND, PEOPLE
from workers.services import Services
from workers.settings import Settings

NOW = datetime(2026, 2, 7, 12, 30, tzinfo=UTC)
SIGNING_SECRET = "a-signing-secret"


@pytest.fixture
def services(tmp_path: Path, sqlite_template: Path) -> Iterator[Services]:
    shutil.copy(sqlite_template, tmp_path / "argux.db")
    settings = Settings(
        _env_file=None,
        database_url=f"sqlite:///{tmp_path / 'argux.db'}",
        argux_data_dir=tmp_path,
        audit_key=SecretStr("an audit key"),
        slack_signing_secret=SecretStr(SIGNING_SECRET),
        slack_bot_token=SecretStr("xoxb-not-a-real-one"),
    )
    services = Services(settings, clock=lambda: NOW)
    broker = StubBroker()
    for queue in (PEOPLE, BACKGROUND):
        broker.declare_queue(queue)
    services.broker = broker
    yield services
    services.engine.dispose()


@pytest.fixture
def client(services: Services) -> Iterator[TestClient]:
    with TestClient(create_app(services), follow_redirects=False) as client:
        yield client


def headers_of(services: Services, name: str, role: str) -> dict[str, str]:
    with services.sessions.begin() as session:
        return {"Authorization": f"Bearer {create_key(session, name, role=role, now=NOW)}"}


@pytest.fixture
def operator(services: Services) -> dict[str, str]:
    return headers_of(services, "ana", "operator")


@pytest.fixture
def sender(services: Services) -> dict[str, str]:
    return headers_of(services, "shop", "ingest")


@pytest.fixture
def signed() -> Callable[[dict[str, str]], tuple[bytes, dict[str, str]]]:
    """Return a function that turns form fields into the body and the signed headers that Slack would send."""

    def sign(form: dict[str, str], secret: str = SIGNING_SECRET) -> tuple[bytes, dict[str, str]]:
        body = urlencode(form).encode()
        timestamp = str(int(time.time()))
        mac = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return body, {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={mac}",
        }

    return sign
