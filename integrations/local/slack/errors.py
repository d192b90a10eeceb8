"""Slack's error responses."""

from __future__ import annotations

from collections.abc import Sequence


class SlackError(Exception):
    """A refused call: `code` is Slack's documented error code, `messages` locate the problems in the arguments."""

    def __init__(self, code: str, messages: Sequence[str] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.messages = tuple(messages)
