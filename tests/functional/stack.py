"""A whole Argux in processes of its own: broker, web, worker, scheduler, and the local workspace beside them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx

from bot.commands import keys
from bot.demo.repository.repository import ShopRepository
from storage.database.session import migrate
from tests.ports import free_port
from tests.valkey import Valkey, running_valkey
from workers.services import Services
from workers.settings import Settings

Answer = TypeVar("Answer")

PROCESSES = ("web", "worker", "scheduler")
STARTS_WITHIN_SECONDS = 180.0
"""Several processes start at one time, each with hundreds of modules to load."""

PATIENCE_SECONDS = 15.0
"""How long the workspace waits for Argux: Slack's 3 s would measure the machine, with all these processes on it."""

FUNNEL = {
    "name": "Purchase",
    "steps": [
        {"name": name, "event_filter": {"event": event}}
        for name, event in [
            ("sign-up", "signed_up"),
            ("cart", "added_to_cart"),
            ("checkout", "checkout_completed"),
            ("payment", "payment_completed"),
        ]
    ],
    "baseline_days": 7,
    "window_minutes": 30,
}


def eventually(look: Callable[[], Answer | None], *, seconds: float, what: str) -> Answer:
    """Look again and again until there is an answer; fails with what was waited for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = look()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:g} s for {what}")


def posted(client: httpx.Client, path: str, **request: Any) -> None:
    """Post as a well-behaved sender does: a door that is busy is asked again."""

    def answered() -> httpx.Response | None:
        answer = client.post(path, **request)
        return None if answer.status_code in (429, 503) else answer

    eventually(answered, seconds=60, what=f"an answer of {path}").raise_for_status()


class Stack:
    """The running parts. `api` is authenticated; `page` is the workspace's page."""

    def __init__(self, directory: Path, database_url: str, broker: Valkey, settings: Mapping[str, str]) -> None:
        self.directory = directory
        self.broker = broker
        self._database_url = database_url
        web_port, workspace_port = free_port(), free_port()
        self.base_url = f"http://127.0.0.1:{web_port}"
        self.workspace_url = f"http://127.0.0.1:{workspace_port}"
        self.secrets = {name: secrets.token_hex(16) for name in ("signing", "github", "jira", "teams", "audit")}
        self.bot_token = f"xoxb-{secrets.token_hex(16)}"
        self.environment = {**self._environment(database_url, broker.url, web_port), **settings}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.key = ""
        self.repository = ShopRepository(
            directory / "workspace" / "repositories" / "acme" / "shop.git", directory / "clone"
        )
        self._workspace_port = workspace_port
        self.page = httpx.Client(base_url=self.workspace_url, trust_env=False, timeout=60)
        self.api = httpx.Client(base_url=self.base_url, trust_env=False, timeout=60)

    def _environment(self, database_url: str, redis_url: str, web_port: int) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.endswith(("_TOKEN", "_URL", "_proxy"))},
            "ARGUX_PORT": str(web_port),
            "ARGUX_DATA_DIR": str(self.directory / "argux"),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "AUDIT_KEY": self.secrets["audit"],
            "SLACK_BOT_TOKEN": self.bot_token,
            "SLACK_SIGNING_SECRET": self.secrets["signing"],
            "SLACK_API_URL": f"{self.workspace_url}/slack/api/",
            "GITHUB_TOKEN": self.secrets["github"],
            "GITHUB_API_URL": f"{self.workspace_url}/github",
            "APPROVER_IDS": "U0ANA, U0BEN",
            "SERVICE_REPOSITORIES": "shop=acme/shop",
            "JIRA_URL": f"{self.workspace_url}/jira",
            "JIRA_EMAIL": "argux@acme.example",
            "JIRA_TOKEN": self.secrets["jira"],
            "JIRA_PROJECT": "SHOP",
            "TEAMS_WEBHOOK_URL": f"{self.workspace_url}/teams/webhook/{self.secrets['teams']}",
            "DETECTION_INTERVAL_SEC": "2",
            "VERIFICATION_DEADLINE_MINUTES": "5",
        }

    def start_workspace(self) -> None:
        config = {
            "bot_token": self.bot_token,
            "app_token": "xapp-unused",
            "signing_secret": self.secrets["signing"],
            "request_url": f"{self.base_url}/slack/events",
            "github_token": self.secrets["github"],
            "jira_email": "argux@acme.example",
            "jira_token": self.secrets["jira"],
            "teams_secret": self.secrets["teams"],
            "channels": ["incidents", "general"],
            "users": [
                {"id": "U0ANA", "name": "Ana", "timezone": "Europe/Berlin"},
                {"id": "U0BEN", "name": "Ben", "timezone": "America/New_York"},
            ],
            "repositories": ["acme/shop"],
            "jira_project": "SHOP",
            "patience_seconds": PATIENCE_SECONDS,
        }
        config_file = self.directory / "workspace.json"
        config_file.write_text(json.dumps(config))
        arguments = ["--port", str(self._workspace_port), "--directory", str(self.directory / "workspace")]
        self._run("workspace", ["-m", "integrations.local", *arguments, "--config", str(config_file)])
        eventually(
            lambda: self._answers(self.page, "/page/state?user=U0ANA"),
            seconds=STARTS_WITHIN_SECONDS,
            what="the workspace",
        )

    def start(self, *names: str) -> None:
        """Start processes of Argux; web is waited for."""
        for name in names:
            self._run(name, ["-m", "bot.cli", name])
        if "web" in names:
            eventually(
                lambda: self._answers(self.api, "/health"), seconds=STARTS_WITHIN_SECONDS, what="the web process"
            )

    def kill(self, name: str) -> None:
        """End a process at once, as a power cut would."""
        self.processes[name].kill()
        self.processes.pop(name).wait(timeout=30)

    def command(self, *arguments: str) -> str:
        """Run `argux …` and return what it printed."""
        finished = subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            env=self.environment, cwd=self.directory, check=True, capture_output=True, text=True,
            timeout=STARTS_WITHIN_SECONDS,
        )  # fmt: skip
        return finished.stdout

    def create_key(self) -> None:
        """Make an operator's `key` by the command line, and use it from here on."""
        printed = self.command("keys", "create", f"tests-{secrets.token_hex(3)}", "--role", "operator")
        self._use(next(word for word in printed.split() if word.startswith("argux_")))

    def make_key(self) -> None:
        """Make an operator's `key` here, on the migrated database, and use it from here on."""
        services = Services(Settings(_env_file=None, database_url=self._database_url, audit_key=self.secrets["audit"]))
        with services.sessions.begin() as session:
            self._use(keys.create(services, session, f"tests-{secrets.token_hex(3)}", "operator"))
        services.engine.dispose()

    def _use(self, key: str) -> None:
        self.key = key
        self.api.headers["Authorization"] = f"Bearer {key}"

    def incidents(self) -> list[dict[str, object]]:
        answer = self.api.get("/api/incidents").raise_for_status().json()
        return list(answer["incidents"] if isinstance(answer, dict) else answer)

    def log(self, name: str) -> str:
        return (self.directory / f"{name}.log").read_text()

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=30)
        self.page.close()
        self.api.close()

    def _run(self, name: str, arguments: list[str]) -> None:
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments], env=self.environment, cwd=self.directory, stdout=log, stderr=log
            )

    def _answers(self, client: httpx.Client, path: str) -> bool:
        for name, process in self.processes.items():
            assert process.poll() is None, f"{name} ended: {self.log(name)[-2000:]}"
        try:
            return client.get(path).is_success
        except httpx.TransportError:
            return False


@contextmanager
def running_stack(directory: Path, database_url: str, settings: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Everything up, the schema migrated, the shop's repository in place, a key in use."""
    with running_valkey(directory) as valkey:
        stack = Stack(directory, database_url, valkey, settings or {})
        try:
            # What `argux migrate` and `argux keys create` do, without a process of its own for each.
            migrate(database_url)
            stack.make_key()
            stack.repository.create(datetime.now(UTC))
            stack.start_workspace()
            stack.start(*PROCESSES)
            yield stack
        finally:
            stack.stop()
