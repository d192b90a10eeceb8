"""How Jira says no."""

from __future__ import annotations

from collections.abc import Mapping


class JiraError(Exception):
    """An answer that is an error: `messages` about the whole, `fields` about single fields."""

    def __init__(self, status: int, *messages: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = list(messages)
        self.fields = dict(fields or {})

    def body(self) -> dict[str, object]:
        """The JSON of the answer."""
        return {"errorMessages": self.messages, "errors": self.fields}
