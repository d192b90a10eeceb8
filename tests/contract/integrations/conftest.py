"""Fixtures: the local workspace on loopback, a git checkout that pushes to it, and a receiver of its payloads."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import httpx
import pytest

from integrations.local.app import create_app
from integrations.local.config import WorkspaceConfig
from integrations.local.server import WorkspaceServer
from tests.contract.integrations.workspace import (
    BOT_TOKEN,
    GITHUB_TOKEN,
    JIRA_EMAIL,
    JIRA_TOKEN,
    PATIENCE,
    REPOSITORY,
    TEAMS_SECRET,
    Bot,
    Checkout,
    Workspace,
)
from tests.ports import free_port


@pytest.fixture(scope="module")
def bot() -> Iterator[Bot]:
    kept = Bot(url="")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            flat = {name: values[0] for name, values in form.items()}
            kept.received.append(json.loads(flat["payload"]) if "payload" in flat else flat)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/slack/events"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def _configuration(request_url: str) -> WorkspaceConfig:
    return WorkspaceConfig.model_validate(
        {
            "bot_token": BOT_TOKEN,
            "app_token": "xapp-contract",
            "signing_secret": "signed",
            "request_url": request_url,
            "github_token": GITHUB_TOKEN,
            "jira_email": JIRA_EMAIL,
            "jira_token": JIRA_TOKEN,
            "teams_secret": TEAMS_SECRET,
            "channels": ["incidents", "general"],
            "users": [{"id": "U0ANA", "name": "Ana", "timezone": "Europe/Berlin"}],
            "repositories": [REPOSITORY],
            "jira_project": "SHOP",
            "patience_seconds": PATIENCE,
        }
    )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, bot: Bot) -> Iterator[Workspace]:
    directory = tmp_path_factory.mktemp("workspace")
    port = free_port()
    server = WorkspaceServer(create_app(_configuration(bot.url), directory), port=port)
    thread = threading.Thread(target=server.run)
    thread.start()
    ticks = threading.Event()
    for _ in range(100 * PATIENCE):
        if server.started:
            break
        ticks.wait(0.01)
    assert server.started
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE) as page:
        yield Workspace(str(page.base_url).rstrip("/"), directory, page)
    server.should_exit = True
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.fixture
def workspace(running: Workspace) -> Iterator[Workspace]:
    yield running
    running.page.delete("/page/faults").raise_for_status()


@pytest.fixture
def checkout(workspace: Workspace, tmp_path: Path) -> Checkout:
    """Return a checkout with a new history on main for each test."""
    found = Checkout(tmp_path)
    found.git("init", "--quiet", "--initial-branch=main")
    found.git("remote", "add", "origin", str(workspace.directory / "repositories" / f"{REPOSITORY}.git"))
    (tmp_path / "shop.py").write_text(f"# {tmp_path.name}\n" + "".join(f"line {number}\n" for number in range(20)))
    found.git("add", "--all")
    found.git("commit", "--quiet", "--message", "Begin")
    found.git("push", "--quiet", "--force", "origin", "HEAD:main")
    return found
