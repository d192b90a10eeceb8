"""The configuration of a local workspace: its people, channels, repositories and secrets."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin")
    return name


class Person(BaseModel):
    """A user who can act on the page; `timezone` is an IANA name.

    team: the id of another workspace, for a person who is here through a shared channel.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[UW][A-Z0-9]+$")
    name: str = Field(min_length=1, max_length=80)
    timezone: Annotated[str, AfterValidator(_known_timezone)] = "UTC"
    is_guest: bool = False
    is_deactivated: bool = False
    team: str | None = Field(default=None, pattern=r"^T[A-Z0-9]+$")


class JiraField(BaseModel):
    """A field of its own that the Jira project has; `values` are the options of one to choose from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^customfield_[0-9]+$")
    name: str = Field(min_length=1, max_length=80)
    type: Literal["string", "number", "date", "option", "user"] = "string"
    values: tuple[str, ...] = ()
    required: bool = True


class SlashCommand(BaseModel):
    """A slash command of the app; `hints` are (argument, what it does) pairs that are suggested while typing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(default="/argux", pattern=r"^/[a-z0-9_-]+$")
    hints: tuple[tuple[str, str], ...] = (
        ("status", "what is broken right now"),
        ("incidents", "the latest incidents"),
        ("help", "everything that can be asked"),
    )


class WorkspaceConfig(BaseModel):
    """The configuration file. The clients must present its tokens; the app is called with its signing secret.

    patience_seconds: how long the workspace waits for an acknowledgement, and how long a trigger id is valid. Slack
    uses three seconds; a busy machine may need more, so that its own load does not count against the app.
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
    jira_fields: tuple[JiraField, ...] = ()
    commands: tuple[SlashCommand, ...] = (SlashCommand(),)
    bot_name: str = "argux"
    patience_seconds: float = Field(default=3.0, gt=0)


def channel_id(name: str) -> str:
    """Return the id of a channel, derived from its name: stable across restarts and readable in a log."""
    return "C0" + re.sub(r"[^A-Z0-9]", "", name.upper())


def load(path: Path) -> WorkspaceConfig:
    """Read a configuration file. Raises OSError, or pydantic.ValidationError, whose text names the field."""
    return WorkspaceConfig.model_validate_json(path.read_bytes())
