"""What Slack hands out for a short time: trigger ids that open one modal, and addresses to answer to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from integrations.local.slack.errors import SlackError

ANSWER_SECONDS = 30 * 60.0
ANSWER_USES = 5


@dataclass(slots=True)
class _Trigger:
    user: str
    view_id: str | None
    expires_at: float
    used: bool = False


@dataclass(slots=True)
class Answer:
    """Who may be answered through one response_url, and which message it replaces (None for a slash command)."""

    user: str
    channel: str
    message_ts: str | None
    thread_ts: str | None
    expires_at: float
    uses_left: int = ANSWER_USES


class Grants:
    """Trigger ids (`trigger_seconds`, once) and response_url tokens (30 minutes, five times)."""

    def __init__(self, clock: Callable[[], float], random_id: Callable[[], str], *, trigger_seconds: float) -> None:
        self._clock = clock
        self._random_id = random_id
        self._trigger_seconds = trigger_seconds
        self._triggers: dict[str, _Trigger] = {}
        self._answers: dict[str, Answer] = {}

    def trigger(self, user: str, view_id: str | None = None) -> str:
        """A new trigger id for what this person just did, inside `view_id` where they did it in a modal."""
        trigger_id = f"{int(self._clock() * 1000)}.{len(self._triggers) + 1}.{self._random_id()}"
        self._triggers[trigger_id] = _Trigger(user, view_id, self._clock() + self._trigger_seconds)
        return trigger_id

    def exchange(self, trigger_id: str) -> tuple[str, str | None]:
        """Use a trigger id up; return the person and the view it was pressed in.

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

    def answer_token(
        self, user: str, channel: str, *, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """A new token for a response_url."""
        token = self._random_id()
        self._answers[token] = Answer(user, channel, message_ts, thread_ts, self._clock() + ANSWER_SECONDS)
        return token

    def use_answer(self, token: str) -> Answer:
        """Use a response_url once. Raises SlackError `expired_url` or `used_url`."""
        answer = self._answers.get(token)
        if answer is None or self._clock() > answer.expires_at:
            raise SlackError("expired_url")
        if answer.uses_left == 0:
            raise SlackError("used_url")
        answer.uses_left -= 1
        return answer
