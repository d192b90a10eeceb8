"""Slack's short-lived grants: trigger ids, which open one modal, and response_url tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from integrations.local.slack.errors import SlackError

RESPONSE_URL_SECONDS = 30 * 60.0
RESPONSE_URL_USES = 5


@dataclass(slots=True)
class _Trigger:
    user: str
    view_id: str | None
    expires_at: float
    used: bool = False


@dataclass(slots=True)
class ResponseTarget:
    """The user and channel that one response_url responds to.

    message_ts: the message that a response can replace or delete; None for a slash command.
    """

    user: str
    channel: str
    message_ts: str | None
    thread_ts: str | None
    expires_at: float
    uses_left: int = RESPONSE_URL_USES


class Grants:
    """Trigger ids (valid once, for `trigger_seconds`) and response_url tokens (valid five times, for 30 minutes)."""

    def __init__(self, clock: Callable[[], float], random_id: Callable[[], str], *, trigger_seconds: float) -> None:
        self._clock = clock
        self._random_id = random_id
        self._trigger_seconds = trigger_seconds
        self._triggers: dict[str, _Trigger] = {}
        self._response_targets: dict[str, ResponseTarget] = {}

    def trigger(self, user: str, view_id: str | None = None) -> str:
        """Create a trigger id for a person's action; `view_id` is the modal in which they acted, if any."""
        trigger_id = f"{int(self._clock() * 1000)}.{len(self._triggers) + 1}.{self._random_id()}"
        self._triggers[trigger_id] = _Trigger(user, view_id, self._clock() + self._trigger_seconds)
        return trigger_id

    def exchange(self, trigger_id: str) -> tuple[str, str | None]:
        """Use up a trigger id; return the person and the modal in which they acted, if any.

        Raises SlackError `invalid_trigger_id`, `exchanged_trigger_id` or `expired_trigger_id`.
        """
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if self._clock() > trigger.expires_at:
            raise SlackError("expired_trigger_id")
        trigger.used = True
        return trigger.user, trigger.view_id

    def response_token(
        self, user: str, channel: str, *, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """Create a token for a response_url."""
        token = self._random_id()
        self._response_targets[token] = ResponseTarget(
            user, channel, message_ts, thread_ts, self._clock() + RESPONSE_URL_SECONDS
        )
        return token

    def use_response_token(self, token: str) -> ResponseTarget:
        """Use a response_url once. Raises SlackError `expired_url` or `used_url`."""
        target = self._response_targets.get(token)
        if target is None or self._clock() > target.expires_at:
            raise SlackError("expired_url")
        if target.uses_left == 0:
            raise SlackError("used_url")
        target.uses_left -= 1
        return target
