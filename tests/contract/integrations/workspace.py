"""The parts of the contract tests: the running local workspace, a receiver of its payloads, a git checkout."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

BOT_TOKEN = "xoxb-contract"
GITHUB_TOKEN = "github-contract"
JIRA_EMAIL = "argux@example.com"
JIRA_TOKEN = "jira-contract"
TEAMS_SECRET = "teams-contract"
REPOSITORY = "acme/shop"
# Timeout in seconds for everything on this machine. Only a hang takes this long, however busy the machine is.
PATIENCE = 60


@dataclass
class Bot:
    """The receiver of Slack's clicks and commands. It answers 200 and records them."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Workspace:
    """The running workspace: its page's API, and the secrets of its systems."""

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


@dataclass
class Checkout:
    """A working copy of the repository, used through the git command."""

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
        """Write files (None deletes one), commit and push to main. Return the commit's sha."""
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
