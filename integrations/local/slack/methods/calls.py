"""One call of the Web API: its arguments, however they were sent, read with Slack's own errors."""

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
    """What a method works on. `base_url` is the workspace's own address, without a slash at its end."""

    workspace: SlackWorkspace
    arguments: Mapping[str, Any]
    base_url: str

    def required(self, name: str) -> str:
        """A text argument. Raises SlackError `invalid_arguments` where it is missing."""
        value = self.text(name)
        if not value:
            raise SlackError("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return value

    def text(self, name: str, default: str = "") -> str:
        """A text argument, or `default`."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def flag(self, name: str) -> bool:
        """A yes or no: true, "true", 1 or "1"."""
        return str(self.arguments.get(name, "")).lower() in ("true", "1")

    def count(self, name: str, default: int, maximum: int) -> int:
        """A whole number from 1 to `maximum`. Raises SlackError `invalid_arguments`."""
        value = self.text(name)
        if not value:
            return default
        if not value.isdecimal() or not 1 <= int(value) <= maximum:
            raise SlackError("invalid_arguments", [f"[ERROR] must be between 1 and {maximum} [json-pointer:/{name}]"])
        return int(value)

    def structure(self, name: str, error: str = "invalid_arguments") -> Any:
        """A JSON argument, which a form carries as text; None where it is missing. Raises SlackError `error`."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError as problem:
            raise SlackError(error, [f"[ERROR] not valid JSON [json-pointer:/{name}]"]) from problem


Method = Callable[[Call], Json]
