"""Jira's error responses."""

from __future__ import annotations

from collections.abc import Mapping


class JiraError(Exception):
    """An error response: `messages` concern the whole request, `fields` single fields."""

    def __init__(self, status: int, *messages: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = list(messages)
        self.fields = dict(fields or {})

    def body(self) -> dict[str, object]:
        """Return the JSON body of the response."""
        return {"errorMessages": self.messages, "errors": self.fields}
