"""The demo's directories, ports, secrets and settings. All of them are created anew for each run."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.demo.deployer import INVENTORY, SERVICE
from bot.demo.errors import DemoError
from bot.demo.repository.repository import NAME
from bot.setup.ports import PortUnusableError, WantedPort, require_usable
from bot.setup.zones import machine_zone
from workers.settings import Settings

PERSON = "U0ANA"
"""The user who approves in an automatic run."""

PEOPLE = (
    {"id": PERSON, "name": "Ana", "timezone": "Europe/Berlin"},
    {"id": "U0BEN", "name": "Ben", "timezone": "America/New_York"},
    {"id": "U0CHI", "name": "Chi", "timezone": "Asia/Tokyo"},
)
APPROVERS = (PERSON, "U0BEN")
_HIGHEST_PORT = 65535
_NEXT_PORT = " The demo takes ARGUX_PORT and the port after it."


@dataclass(frozen=True, slots=True)
class Places:
    """The demo's directories, ports and URLs."""

    root: Path
    port: int

    @property
    def workspace_port(self) -> int:
        """The local workspace's port: the one after Argux's."""
        return self.port + 1

    @property
    def argux_url(self) -> str:
        """Argux's base URL; its front page leads to the workspace."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def workspace_url(self) -> str:
        """The local workspace's base URL."""
        return f"http://127.0.0.1:{self.workspace_port}"

    @property
    def workspace(self) -> Path:
        """The local workspace's directory."""
        return self.root / "workspace"

    @property
    def logs(self) -> Path:
        """The directory of the processes' log files."""
        return self.root / "logs"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The tokens that the local workspace requires, and Argux's key for its audit chain."""

    bot_token: str
    signing_secret: str
    github_token: str
    jira_token: str
    teams_secret: str
    audit_key: str


def make_secrets() -> Secrets:
    """Generate random secrets for one run."""
    return Secrets(
        bot_token=f"xoxb-{secrets.token_hex(16)}",
        signing_secret=secrets.token_hex(16),
        github_token=f"ghp_{secrets.token_hex(18)}",
        jira_token=secrets.token_hex(16),
        teams_secret=secrets.token_hex(16),
        audit_key=secrets.token_hex(32),
    )


@contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Hold an exclusive lock on the demo's directory while the block runs.

    Raises DemoError when another demo holds it: starting a second one would delete the files of the first; and when
    nothing can be written here.
    """
    try:
        opened = directory.resolve().with_suffix(".lock").open("w")
    except OSError as error:
        raise _unwritable(directory, error) from error
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DemoError("a demo already runs from this directory; stop it first with Ctrl-C") from error
        yield


def prepare_places(directory: Path, port: int) -> Places:
    """Check that both ports are free, then empty the directory. Raises DemoError naming the unusable port or file."""
    places = Places(directory.resolve(), port)
    if places.workspace_port > _HIGHEST_PORT:
        raise DemoError(f"ARGUX_PORT must be below {_HIGHEST_PORT}: the demo takes that port and the next")
    purposes = {places.port: "the demo's Argux", places.workspace_port: "the demo's workspace"}
    try:
        require_usable(
            [
                WantedPort("127.0.0.1", port, "ARGUX_PORT", purpose, advice=_NEXT_PORT)
                for port, purpose in purposes.items()
            ]
        )
    except PortUnusableError as error:
        raise DemoError(str(error)) from error
    try:
        if places.root.exists():
            shutil.rmtree(places.root)
        places.logs.mkdir(parents=True)
    except OSError as error:
        raise _unwritable(directory, error) from error
    return places


def _unwritable(directory: Path, error: OSError) -> DemoError:
    reason = error.strerror or type(error).__name__
    at = error.filename or directory
    return DemoError(f"it keeps its files in {directory.resolve()}, and {at} cannot be written ({reason})")


def write_workspace_config(places: Places, keys: Secrets) -> Path:
    """Write the local workspace's `--config` file (people, channels, tokens) and return its path."""
    path = places.root / "workspace.json"
    path.touch(mode=0o600)
    path.write_text(
        json.dumps(
            {
                "bot_token": keys.bot_token,
                "app_token": f"xapp-{secrets.token_hex(16)}",
                "signing_secret": keys.signing_secret,
                "request_url": f"{places.argux_url}/slack/events",
                "github_token": keys.github_token,
                "jira_email": "argux@acme.example",
                "jira_token": keys.jira_token,
                "teams_secret": keys.teams_secret,
                "channels": ["incidents", "general"],
                "users": PEOPLE,
                "repositories": [NAME],
                "jira_project": "SHOP",
            },
            indent=2,
        )
    )
    return path


def argux_environment(places: Places, keys: Secrets) -> dict[str, str]:
    """Return Argux's settings for this run as environment variables.

    Every other Argux setting in the environment is set to the empty string: the user's shell may be configured for
    another Argux.
    """
    base = places.workspace_url
    return {
        **{name.upper(): "" for name in Settings.model_fields if name.upper() in os.environ},
        "ARGUX_HOST": "127.0.0.1",
        "ARGUX_PORT": str(places.port),
        "ARGUX_TIMEZONE": machine_zone(),
        "ARGUX_DATA_DIR": str(places.root / "argux"),
        "DATABASE_URL": f"sqlite:///{places.root / 'argux' / 'argux.db'}",
        "WORKSPACE_URL": base,
        "AUDIT_KEY": keys.audit_key,
        "SLACK_BOT_TOKEN": keys.bot_token,
        "SLACK_SIGNING_SECRET": keys.signing_secret,
        "SLACK_API_URL": f"{base}/slack/api/",
        "SLACK_CHANNEL": "#incidents",
        "APPROVER_IDS": ",".join(APPROVERS),
        "GITHUB_TOKEN": keys.github_token,
        "GITHUB_API_URL": f"{base}/github",
        "SERVICE_REPOSITORIES": f"{SERVICE}={NAME},{INVENTORY}={NAME}",
        "JIRA_URL": f"{base}/jira",
        "JIRA_EMAIL": "argux@acme.example",
        "JIRA_TOKEN": keys.jira_token,
        "JIRA_PROJECT": "SHOP",
        "TEAMS_WEBHOOK_URL": f"{base}/teams/webhook/{keys.teams_secret}",
    }
