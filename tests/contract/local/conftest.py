"""A local workspace over real loopback HTTP, and the secrets that its clients present."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from github import Auth, Github
from integrations.local.app import create_app
from integrations.local.config import WorkspaceConfig
from integrations.local.server import WorkspaceServer
from jira import JIRA
from slack_sdk import WebClient

SIGNING_SECRET = "a-signing-secret"
BOT_TOKEN = "xoxb-local"
APP_TOKEN = "xapp-local"
GITHUB_TOKEN = "github-local"
JIRA_LOGIN = ("argux@example.com", "jira-local")
TEAMS_SECRET = "teams-local"


def wait_for(condition: Callable[[], Any], seconds: float = 5.0) -> Any:
    """The first truthy value of `condition`, asked every 10 ms; fails after `seconds`."""
    ticks = threading.Event()
    for _ in range(int(seconds * 100)):
        value = condition()
        if value:
            return value
        ticks.wait(0.01)
    pytest.fail(f"still not so after {seconds} s")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Workspace:
    """A running workspace as a test holds it."""

    url: str
    directory: Path
    config: WorkspaceConfig
    clock: Clock
    page: httpx.Client
    server: WorkspaceServer
    thread: threading.Thread
    closers: list[Callable[[], object]] = field(default_factory=list)

    # Test modules cannot import this one, so what they need hangs on what they are given.
    wait_for = staticmethod(wait_for)
    signing_secret = SIGNING_SECRET
    bot_token = BOT_TOKEN
    app_token = APP_TOKEN
    teams_webhook = f"/teams/webhook/{TEAMS_SECRET}"

    def restart(self) -> None:
        """Stop the server and start another one on the same directory."""
        self.stop()
        again = start(self.directory, self.config, self.clock)
        self.url, self.page, self.server, self.thread = again.url, again.page, again.server, again.thread
        self.closers = []

    def slack(self, token: str = BOT_TOKEN) -> WebClient:
        return WebClient(token=token, base_url=f"{self.url}/slack/api/", retry_handlers=[], timeout=5)

    def github(self, token: str = GITHUB_TOKEN) -> Github:
        client = Github(
            auth=Auth.Token(token),
            base_url=f"{self.url}/github",
            retry=None,
            timeout=5,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )
        self.closers.append(client.close)
        return client

    def jira(self, login: tuple[str, str] = JIRA_LOGIN, version: str = "2") -> JIRA:
        client = JIRA(
            server=f"{self.url}/jira",
            basic_auth=login,
            options={"rest_api_version": version},
            max_retries=0,
            timeout=5,
        )
        self.closers.append(client.close)
        return client

    def state(self, user: str = "U0ANA") -> dict[str, Any]:
        return self.page.get("/page/state", params={"user": user}).raise_for_status().json()

    def fault(self, system: str, status: int | str, **more: Any) -> None:
        self.page.post("/page/faults", json={"system": system, "status": status, **more}).raise_for_status()

    def requests(self, system: str) -> list[dict[str, Any]]:
        return self.page.get("/page/requests", params={"system": system}).raise_for_status().json()

    def stop(self) -> None:
        for close in self.closers:
            close()
        self.page.close()
        self.server.should_exit = True
        self.thread.join(10)
        assert not self.thread.is_alive()


def configuration(port: int) -> WorkspaceConfig:
    return WorkspaceConfig.model_validate(
        {
            "bot_token": BOT_TOKEN,
            "app_token": APP_TOKEN,
            "signing_secret": SIGNING_SECRET,
            "request_url": f"http://127.0.0.1:{port}/slack/events",
            "github_token": GITHUB_TOKEN,
            "jira_email": JIRA_LOGIN[0],
            "jira_token": JIRA_LOGIN[1],
            "teams_secret": TEAMS_SECRET,
            "channels": ["incidents", "general"],
            "users": [
                {"id": "U0ANA", "name": "Ana", "timezone": "Europe/Berlin"},
                {"id": "U0BEN", "name": "Ben", "timezone": "America/New_York"},
            ],
            "repositories": ["acme/shop"],
            "jira_project": "SHOP",
        }
    )


def start(directory: Path, config: WorkspaceConfig, clock: Clock) -> Workspace:
    port = free_port()
    server = WorkspaceServer(create_app(config, directory, clock=clock), port=port)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started)
    url = f"http://127.0.0.1:{port}"
    page = httpx.Client(base_url=url, trust_env=False, timeout=10)
    return Workspace(url, directory, config, clock, page, server, thread)


@pytest.fixture
def app_port() -> int:
    """Where the workspace expects the bot."""
    return free_port()


@pytest.fixture
def workspace(tmp_path: Path, app_port: int) -> Iterator[Workspace]:
    running = start(tmp_path, configuration(app_port), Clock())
    yield running
    running.stop()
