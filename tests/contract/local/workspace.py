"""A local workspace that runs on real loopback HTTP, with the secrets that its clients present."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from github import Auth, Github
from jira import JIRA
from slack_sdk import WebClient
from websockets.sync.client import connect

from integrations.local.app import create_app
from integrations.local.config import WorkspaceConfig
from integrations.local.server import WorkspaceServer
from tests.ports import free_port

SIGNING_SECRET = "a-signing-secret"
BOT_TOKEN = "xoxb-local"
APP_TOKEN = "xapp-local"
GITHUB_TOKEN = "github-local"
JIRA_LOGIN = ("argux@example.com", "jira-local")
TEAMS_SECRET = "teams-local"
TEAMS_WEBHOOK = f"/teams/webhook/{TEAMS_SECRET}"
PEOPLE_OF_A_ROOM = ("ANA", "BEN")
# The time limit for anything that happens on this machine: only a hang takes that long, even on a busy machine.
PATIENCE = 60

Json = dict[str, Any]
Found = TypeVar("Found")


def wait_for(condition: Callable[[], Found], seconds: float = PATIENCE) -> Found:
    """Poll `condition` every 10 ms and return its first truthy value; fail after `seconds`."""
    ticks = threading.Event()
    for _ in range(int(seconds * 100)):
        value = condition()
        if value:
            return value
        ticks.wait(0.01)
    pytest.fail(f"the condition is still false after {seconds} s")


@dataclass
class Clock:
    """The real time (clients check the age of a signature) plus the seconds that a test adds."""

    added_seconds: float = 0.0
    stopped_at: float | None = None

    def __call__(self) -> float:
        return (time.time() if self.stopped_at is None else self.stopped_at) + self.added_seconds

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop the clock while the block runs, so that trigger ids expire only when the test adds seconds."""
        self.stopped_at = time.time()
        try:
            yield
        finally:
            self.stopped_at, self.added_seconds = None, 0.0


@dataclass
class Workspace:
    """A running workspace, with clients for its systems."""

    url: str
    directory: Path
    config: WorkspaceConfig
    clock: Clock
    page: httpx.Client
    server: WorkspaceServer
    thread: threading.Thread
    closers: list[Callable[[], object]] = field(default_factory=list)
    unused_repositories: list[str] = field(default_factory=list)
    unused_rooms: list[Room] = field(default_factory=list)

    def restart(self) -> None:
        """Stop the server and start another one on the same directory."""
        self.stop()
        again = start(self.directory, self.config, self.clock)
        self.url, self.page, self.server, self.thread = again.url, again.page, again.server, again.thread
        self.closers = []

    def slack(self, token: str = BOT_TOKEN) -> WebClient:
        return WebClient(token=token, base_url=f"{self.url}/slack/api/", retry_handlers=[], timeout=PATIENCE)

    def github(self, token: str = GITHUB_TOKEN) -> Github:
        client = Github(
            auth=Auth.Token(token),
            base_url=f"{self.url}/github",
            retry=None,
            timeout=PATIENCE,
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
            timeout=PATIENCE,
        )
        self.closers.append(client.close)
        return client

    def state(self, user: str = "U0ANA") -> Json:
        """Return what the page shows this user."""
        state: Json = self.page.get("/page/state", params={"user": user}).raise_for_status().json()
        return state

    def fault(self, system: str, status: int | str, **more: Any) -> None:
        """Make the next request to a system fail."""
        self.page.post("/page/faults", json={"system": system, "status": status, **more}).raise_for_status()

    def open_modal(self, user: str, view: Json) -> None:
        """Open a modal with the trigger id of a slash command that arrives over Socket Mode."""
        ticket = self.slack().apps_connections_open(app_token=APP_TOKEN)["url"]
        command = {"user": user, "channel": "general", "text": "/argux"}
        with connect(ticket, open_timeout=PATIENCE) as app:
            json.loads(app.recv())
            asking = threading.Thread(target=lambda: self.page.post("/page/command", json=command))
            asking.start()
            envelope = json.loads(app.recv())
            app.send(json.dumps({"envelope_id": envelope["envelope_id"]}))
            asking.join(PATIENCE)
        self.slack().views_open(trigger_id=envelope["payload"]["trigger_id"], view=view)

    def requests(self, system: str) -> list[Json]:
        """Return the log of the requests to one system."""
        requests: list[Json] = self.page.get("/page/requests", params={"system": system}).raise_for_status().json()
        return requests

    def stop(self) -> None:
        for close in self.closers:
            close()
        self.page.close()
        self.server.should_exit = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@dataclass(frozen=True)
class Room:
    """A channel and two people of a workspace that no other test uses."""

    workspace: Workspace
    name: str
    ana: str
    ben: str

    @property
    def channel(self) -> str:
        return f"C0{self.name.upper()}"

    def seen_by(self, user: str) -> list[Json]:
        """Return the room's messages that this user sees."""
        return [message for message in self.workspace.state(user)["messages"] if message["channel"] == self.channel]

    def modals(self, user: str) -> list[Json]:
        """Return the modals that this user has open."""
        modals: list[Json] = self.workspace.state(user)["modals"]
        return modals


def configuration(
    port: int, *, repositories: Sequence[str] = ("acme/shop",), rooms: Sequence[int] = (), **more: Any
) -> WorkspaceConfig:
    room_people = [
        {"id": f"U{name}{number}", "name": f"{name.title()} {number}"} for number in rooms for name in PEOPLE_OF_A_ROOM
    ]
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
            "channels": ["incidents", "general", *(f"room{number}" for number in rooms)],
            "users": [
                {"id": "U0ANA", "name": "Ana", "timezone": "Europe/Berlin"},
                {"id": "U0BEN", "name": "Ben", "timezone": "America/New_York"},
                *room_people,
            ],
            "repositories": list(repositories),
            "jira_project": "SHOP",
            "patience_seconds": PATIENCE,
            **more,
        }
    )


def start(directory: Path, config: WorkspaceConfig, clock: Clock) -> Workspace:
    port = free_port()
    server = WorkspaceServer(create_app(config, directory, clock=clock), port=port)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_for(lambda: server.started)
    url = f"http://127.0.0.1:{port}"
    page = httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE)
    return Workspace(url, directory, config, clock, page, server, thread)


@contextmanager
def running(
    directory: Path, *, repositories: Sequence[str] = ("acme/shop",), rooms: Sequence[int] = (), **more: Any
) -> Iterator[Workspace]:
    config = configuration(free_port(), repositories=repositories, rooms=rooms, **more)
    found = start(directory, config, Clock())
    try:
        yield found
    finally:
        found.stop()
