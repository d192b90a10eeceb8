"""The real start without outside systems: what is missing is said, and what waited for it is done once it is set."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.demo.repository.changes import LIVE_STOCK
from bot.demo.repository.repository import Commit
from tests.functional.shop_trouble import ANA, deploy, explained, feeding, incident, press, root_messages
from tests.functional.stack import STARTS_WITHIN_SECONDS, Stack, eventually
from tests.functional.telemetry import to_doors, traffic, week_of_history
from tests.valkey import running_valkey

SYSTEMS = {
    "Slack": ("SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"),
    "people": ("APPROVER_IDS",),
    "GitHub": ("GITHUB_TOKEN",),
    "Jira": ("JIRA_URL", "JIRA_EMAIL", "JIRA_TOKEN"),
    "Teams": ("TEAMS_WEBHOOK_URL",),
    "LLM": ("LLM_BASE_URL", "LLM_API_KEY", "LLM_MODEL"),
}


class Newcomer:
    """Argux as `argux up` runs it, with a broker of its own, beside the local workspace. At first no system is set."""

    def __init__(self, stack: Stack, model_url: str) -> None:
        self.stack = stack
        values = {"LLM_BASE_URL": model_url, "LLM_API_KEY": "sk-1", "LLM_MODEL": "small"}
        self._given = {**stack.environment, **values}
        names = [name for names in SYSTEMS.values() for name in names]
        stack.environment |= dict.fromkeys([*names, "SERVICE_REPOSITORIES", "REDIS_URL"], "")

    def start(self) -> None:
        self.stack.start("up")
        eventually(self._listens, seconds=STARTS_WITHIN_SECONDS, what="Argux to listen")

    def set_up(self, *systems: str) -> None:
        """Set what these systems need, and start Argux again, as a person does."""
        self.stack.environment |= {name: self._given[name] for system in systems for name in SYSTEMS[system]}
        process = self.stack.processes.pop("up")
        process.terminate()
        process.wait(timeout=60)
        self.start()

    def doctor(self) -> dict[str, str]:
        """Return what `argux doctor` says of each system; on a busy machine detection may be late, which fails it."""
        said = subprocess.run(
            [sys.executable, "-m", "bot.cli", "doctor"], env=self.stack.environment, cwd=self.stack.directory,
            capture_output=True, text=True, timeout=STARTS_WITHIN_SECONDS, check=False,
        ).stdout  # fmt: skip
        return {name: text.strip() for name, _, text in (line.partition(":") for line in said.splitlines())}

    def is_well(self) -> bool:
        """Whether every system is ok and no message is held. A busy machine may need more time than the doctor has."""
        said = self.doctor()
        return all(said[system].startswith("ok") for system in SYSTEMS) and said["messages"] == "ok · none held"

    def root(self) -> dict[str, Any]:
        """Return the message about the incident; there is one."""
        [message] = root_messages(self.stack)
        return message

    def buttons(self) -> set[str]:
        blocks = self.root()["blocks"]
        return {one["action_id"] for block in blocks if block["type"] == "actions" for one in block["elements"]}

    def has_button(self, action_id: str) -> None:
        eventually(lambda: action_id in self.buttons(), seconds=60, what=f"the button {action_id}")

    def _listens(self) -> bool:
        process = self.stack.processes["up"]
        assert process.poll() is None, self.stack.log("up")[-2000:]
        return self.stack._answers(self.stack.api, "/health/db")


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    with running_valkey(tmp_path) as unused, models_offered() as model_url:
        stack = Stack(tmp_path, f"sqlite:///{tmp_path / 'argux.db'}", unused, {})
        try:
            stack.repository.create(datetime.now(UTC))
            stack.start_workspace()
            yield Newcomer(stack, model_url)
        finally:
            stack.stop()


@contextmanager
def models_offered() -> Iterator[str]:
    """Speak the part of OpenAI's protocol that lists models. Yields the address."""

    class Models(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"object": "list", "data": [{"id": "small", "object": "model", "created": 1}]}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Models)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_each_missing_system_is_said_and_what_waited_for_it_is_done_once_it_is_set(newcomer: Newcomer) -> None:
    stack = newcomer.stack
    newcomer.start()
    stack.create_key()
    for system, said in newcomer.doctor().items():
        if system in SYSTEMS:
            assert said.startswith("not set"), system
            assert SYSTEMS[system][0] in said, system

    bad = slow_down_the_checkout(stack)
    with feeding(stack, bad.sha):
        found = eventually(lambda: is_diagnosed(incident(stack)), seconds=240, what="a diagnosis without GitHub")
        assert found["proposal"] is None
        status = stack.api.get("/api/status").raise_for_status().json()
        assert "SLACK_BOT_TOKEN" in json.dumps(status["held_messages"])
        assert "held until Slack is set" in newcomer.doctor()["messages"]

        newcomer.set_up("Slack", "people")
        eventually(lambda: root_messages(stack), seconds=60, what="the message that was held")
        eventually(lambda: newcomer.root()["thread"], seconds=60, what="the diagnosis that was held")
        assert "GITHUB_TOKEN is not set" in json.dumps(newcomer.root()["blocks"])
        assert {"acknowledge", "diagnose_again"} <= newcomer.buttons()
        assert not {"create_ticket", "escalate"} & newcomer.buttons()

        newcomer.set_up("Jira", "Teams")
        for action_id in ("create_ticket", "escalate"):
            newcomer.has_button(action_id)
            press(stack, newcomer.root(), action_id, user=ANA)
        ticket = eventually(lambda: incident(stack)["ticket"], seconds=60, what="the ticket")
        assert stack.page.get(f"/jira/browse/{ticket['key']}").is_success
        [post] = eventually(lambda: teams_posts(stack), seconds=60, what="the message in Teams")
        assert "POST /checkout" in json.dumps(post)

        newcomer.set_up("GitHub", "LLM")
        press(stack, newcomer.root(), "diagnose_again", user=ANA)
        again = eventually(lambda: explained(stack, bad), seconds=120, what="a fix")
        assert again["diagnosis"]["suspect_commit"] == bad.sha
        newcomer.has_button("approve_fix")

    eventually(newcomer.is_well, seconds=240, what="a doctor who finds all well")


def slow_down_the_checkout(stack: Stack) -> Commit:
    """Send a week and ten minutes that are healthy, then deploy one bad commit 90 seconds ago. Return the commit."""
    send = to_doors(str(stack.api.headers["Authorization"]).removeprefix("Bearer "), stack.api)
    now, healthy = time.time(), stack.repository.head()
    deploy(stack, healthy, now - 86_400)
    week_of_history(send, now=now, version=healthy)
    traffic(send, since=now - 690, until=now - 90, version=healthy, broken=False)
    [bad] = stack.repository.push([LIVE_STOCK], datetime.now(UTC))
    deploy(stack, bad.sha, now - 90)
    traffic(send, since=now - 90, until=time.time(), version=bad.sha, broken=True)
    return bad


def is_diagnosed(found: dict[str, Any]) -> dict[str, Any] | None:
    diagnosis = found.get("diagnosis")
    return found if diagnosis and diagnosis["status"] != "running" else None


def teams_posts(stack: Stack) -> list[dict[str, Any]]:
    posts: list[dict[str, Any]] = stack.page.get("/page/state", params={"user": ANA}).raise_for_status().json()["teams"]
    return posts
