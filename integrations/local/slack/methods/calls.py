"""One call of the Web API: read its arguments, whether sent as JSON or as a form, with Slack's errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.errors import SlackError
from integrations.local.slack.workspace import SlackWorkspace


@dataclass(frozen=True, slots=True)
class Call:
    """The input of a method. `base_url` is the workspace's own URL, without a trailing slash."""

    workspace: SlackWorkspace
    arguments: Mapping[str, Any]
    base_url: str

    def required(self, name: str) -> str:
        """Return a required text argument. Raises SlackError `invalid_arguments` if it is missing."""
        value = self.text(name)
        if not value:
            raise SlackError("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return value

    def text(self, name: str, default: str = "") -> str:
        """Return a text argument, or `default` if it is missing."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Return a boolean argument; true, "true", 1 and "1" mean true."""
        return str(self.arguments.get(name, "")).lower() in ("true", "1")

    def count(self, name: str, default: int, maximum: int) -> int:
        """Return an integer argument from 1 to `maximum`, or `default`. Raises SlackError `invalid_arguments`."""
        value = self.text(name)
        if not value:
            return default
        if not value.isdecimal() or not 1 <= int(value) <= maximum:
            raise SlackError("invalid_arguments", [f"[ERROR] must be between 1 and {maximum} [json-pointer:/{name}]"])
        return int(value)

    def structure(self, name: str, error: str = "invalid_arguments") -> Any:
        """Return a JSON argument (a form sends it as text), or None if it is missing. Raises SlackError `error`."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as problem:
            raise SlackError(error, [f"[ERROR] not valid JSON [json-pointer:/{name}]"]) from problem


Method = Callable[[Call], Json]
