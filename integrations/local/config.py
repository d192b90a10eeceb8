"""What a local workspace is told when it starts: its people, channels, repositories and secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin")
    return name


class Person(BaseModel):
    """Somebody who can act on the page; `timezone` is an IANA name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[UW][A-Z0-9]+$")
    name: str = Field(min_length=1, max_length=80)
    timezone: Annotated[str, AfterValidator(_known_timezone)] = "UTC"


class SlashCommand(BaseModel):
    """A command the app takes; `hints` are (what may be typed after it, what that does), shown while typing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="/argux", pattern=r"^/[a-z0-9_-]+$")
    hints: tuple[tuple[str, str], ...] = (
        ("status", "what is broken right now"),
        ("incidents", "the latest incidents"),
        ("help", "everything that can be asked"),
    )


class WorkspaceConfig(BaseModel):
    """The whole configuration file; every secret is one that the real clients must present.

    patience_seconds: how long an acknowledgement is waited for, and a trigger id lasts. More than Slack's three are for
    a machine so busy that it is measured instead of the app.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bot_token: SecretStr
    app_token: SecretStr
    signing_secret: SecretStr
    request_url: str = Field(pattern=r"^https?://")
    github_token: SecretStr
    jira_email: str
    jira_token: SecretStr
    teams_secret: SecretStr
    channels: tuple[Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,80}$")], ...] = Field(min_length=1)
    users: tuple[Person, ...] = Field(min_length=1)
    repositories: tuple[Annotated[str, Field(pattern=r"^[\w-]+/[\w.-]*[\w-]$")], ...] = ()
    jira_project: str = Field(default="OPS", pattern=r"^[A-Z][A-Z0-9]+$")
    commands: tuple[SlashCommand, ...] = (SlashCommand(),)
    bot_name: str = "argux"
    patience_seconds: float = Field(default=3.0, gt=0)


def channel_id(name: str) -> str:
    """The id of a channel, made from its name so that it is the same after a restart and readable in a log."""
    return "C0" + re.sub(r"[^A-Z0-9]", "", name.upper())


def load(path: Path) -> WorkspaceConfig:
    """Read a configuration file. Raises OSError and pydantic.ValidationError, whose text names the field."""
    return WorkspaceConfig.model_validate_json(path.read_bytes())
