"""How Slack says no."""

from __future__ import annotations

from collections.abc import Sequence


class SlackError(Exception):
    """A call that Slack refuses: `code` as in its documentation, `messages` saying where in the arguments."""

    def __init__(self, code: str, messages: Sequence[str] = ()) -> None:
        super().__init__(code)
        self.code = code
        self.messages = tuple(messages)
