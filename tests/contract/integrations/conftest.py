"""The local workspace on loopback, a git checkout that pushes to it, and a bot's end that takes its payloads."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from integrations.local.app import create_app
from integrations.local.config import WorkspaceConfig
from integrations.local.server import WorkspaceServer
from tests.ports import free_port

BOT_TOKEN = "xoxb-contract"
GITHUB_TOKEN = "github-contract"
JIRA_EMAIL = "argux@example.com"
JIRA_TOKEN = "jira-contract"
TEAMS_SECRET = "teams-contract"
REPOSITORY = "acme/shop"
# How long is waited for what happens on this machine alone: only a hang lasts as long, however busy the machine.
PATIENCE = 60


@dataclass
class Bot:
    """Where Slack posts clicks and commands: it answers 200 and keeps them."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)


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


@dataclass
class Workspace:
    """The running workspace, its page's API and the secrets that its systems want."""

    url: str
    directory: Path
    page: httpx.Client
    bot_token: str = BOT_TOKEN
    github_token: str = GITHUB_TOKEN
    jira_email: str = JIRA_EMAIL
    jira_token: str = JIRA_TOKEN
    teams_secret: str = TEAMS_SECRET
    patience_seconds: int = PATIENCE

    def fault(self, system: str, status: int | str, **more: Any) -> None:
        self.page.post("/page/faults", json={"system": system, "status": status, **more}).raise_for_status()

    def state(self, user: str = "U0ANA") -> dict[str, Any]:
        found: dict[str, Any] = self.page.get("/page/state", params={"user": user}).raise_for_status().json()
        return found

    def do(self, path: str, **given: Any) -> None:
        self.page.post(path, json=given).raise_for_status()


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


@dataclass
class Checkout:
    """A working copy of the repository, by plain git."""

    path: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments],
            capture_output=True,
            text=True,
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.path),
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_AUTHOR_NAME": "Ana",
                "GIT_AUTHOR_EMAIL": "ana@example.com",
                "GIT_COMMITTER_NAME": "Ana",
                "GIT_COMMITTER_EMAIL": "ana@example.com",
            },
        )
        return done.stdout.strip()

    def commit(self, message: str, files: dict[str, str | None]) -> str:
        """Write (or, for None, delete) files, commit, push main; the commit's sha."""
        for name, content in files.items():
            path = self.path / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        self.git("push", "--quiet", "origin", "HEAD:main")
        return self.git("rev-parse", "HEAD")

    def tree(self, revision: str) -> str:
        return self.git("ls-tree", "-r", revision)


@pytest.fixture
def checkout(workspace: Workspace, tmp_path: Path) -> Checkout:
    """A checkout of main, begun anew: each test has a history of its own."""
    found = Checkout(tmp_path)
    found.git("init", "--quiet", "--initial-branch=main")
    found.git("remote", "add", "origin", str(workspace.directory / "repositories" / f"{REPOSITORY}.git"))
    (tmp_path / "shop.py").write_text(f"# {tmp_path.name}\n" + "".join(f"line {number}\n" for number in range(20)))
    found.git("add", "--all")
    found.git("commit", "--quiet", "--message", "Begin")
    found.git("push", "--quiet", "--force", "origin", "HEAD:main")
    return found
