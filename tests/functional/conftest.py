"""Real processes, a real broker, real databases, a real browser."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.conftest import PostgresServer
from tests.functional.stack import Stack, running_stack
from tests.functional.web import Web, running_web
from tests.ports import free_port
from tests.tools import find_browser

TIMEOUT_SECONDS = 900
"""For a hang only: whatever a test waits for has a limit of its own, and these add up on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """Argux on SQLite, as `argux up` has it."""
    with running_stack(tmp_path, f"sqlite:///{tmp_path / 'argux.db'}") as running:
        yield running


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Web]:
    """One web process on SQLite with every door open, shared by all senders; there is no broker and no worker."""
    directory = tmp_path_factory.mktemp("web")
    settings = {
        "OTLP_GRPC_PORT": str(free_port()),
        "SYSLOG_PORT": str(free_port()),
        "GITHUB_WEBHOOK_SECRET": secrets.token_hex(16),
        "SENTRY_CLIENT_SECRET": secrets.token_hex(16),
        "LAUNCHDARKLY_WEBHOOK_SECRET": secrets.token_hex(16),
        "FLAGSMITH_WEBHOOK_SECRET": secrets.token_hex(16),
    }
    database = shutil.copy(sqlite_template, directory / "argux.db")
    with running_web(directory, f"sqlite:///{database}", settings) as running:
        yield running
        running.stop()
    assert "Traceback" not in running.log()


@pytest.fixture
def postgresql_url(postgres_server: PostgresServer) -> Iterator[str]:
    """An empty database on a real PostgreSQL."""
    postgres_server.run("CREATE DATABASE functional")
    yield postgres_server.url("functional")
    postgres_server.run("DROP DATABASE functional WITH (FORCE)")


@pytest.fixture
def page() -> Iterator[Page]:
    """A phone-sized page in a real Chromium, in Berlin."""
    executable = find_browser()
    if executable is None:
        reason = "no Chromium on this machine: install it, or name one in ARGUX_TEST_BROWSER"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        context = browser.new_context(timezone_id="Europe/Berlin", viewport={"width": 390, "height": 844})
        context.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield context.new_page()
        context.close()
        browser.close()
