"""The Bolt app: it acknowledges each request and hands it to a worker.

A slash command goes straight to the broker: it only reads, and the user can type it again. A click or a submitted
dialog is a decision, so it is committed to the outbox before it is acknowledged. It is idempotent: if Slack sends it
again, the key is the same. No listener waits for Slack. Slack accepts a dialog only within 3 seconds of the click, so a
background thread opens it empty at once and a worker fills it.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from slack_bolt import Ack, App, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.errors import BotError
from bot.slack import requests
from storage import outbox
from workers.errors import BrokerAwayError
from workers.queueing.broker import send
from workers.services import Services
from workers.telling import dialogs

log = structlog.get_logger()

COMMAND = "/argux"

ACTIONS = frozenset(
    (
        "acknowledge",
        "approve_fix",
        "cause_right",
        "cause_wrong",
        "create_ticket",
        "diagnose_again",
        "dismiss_jobs",
        "escalate",
        "false_alarm",
        "reopen",
        "resolve",
        "retry_jobs",
        "should_have_woken",
        "snooze",
        "unsnooze",
    )
)
"""The buttons that cause work. Others, such as links, are acknowledged and ignored."""

DIALOG_THREADS = 4
"""How many dialogs may be opened at the same time."""

BROKER_AWAY = "Argux cannot take commands right now: its job queue does not answer. Please try again in a minute."


def create_slack_app(services: Services) -> App:
    """Create the Bolt app and register the listeners. It does not contact Slack, so Argux starts while Slack is down.

    `process_before_response` makes Bolt answer as soon as a listener returns; otherwise it polls every 10 ms for the
    acknowledgement. `authorize` is ours, because Bolt's own calls auth.test on the first request. Middleware for
    features that Argux does not use (events, custom steps) is off.
    """
    secret = services.settings.slack_signing_secret
    app = App(
        name="argux",
        logger=_quiet_logger(),
        client=WebClient(base_url=services.settings.slack_api_url, timeout=10),
        signing_secret=secret.get_secret_value() if secret else "",
        authorize=_authorize,
        process_before_response=True,
        ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    app.use(_refuse_odd_shapes)
    listeners = Listeners(services)
    app.command(COMMAND)(listeners.command)
    app.action(re.compile(""))(listeners.click)
    app.view(re.compile(""))(listeners.submission)
    return app


def _quiet_logger() -> logging.Logger:
    """Return a logger for errors only: Bolt logs whole bodies at INFO and warns about an unused token variable."""
    logger = logging.getLogger("argux.slack")
    logger.setLevel(logging.ERROR)
    return logger


def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Accept every request with a valid signature or socket token; a worker checks what each person may do."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


def _refuse_odd_shapes(body: dict[str, Any], next: Callable[[], BoltResponse]) -> BoltResponse:  # noqa: A002
    """Answer 400 to what Slack would not send, over HTTP and over the socket. Bolt names the parameters."""
    try:
        requests.check(body)
    except BotError as error:
        log.warning("slack_request_refused", reason=error.message)
        return BoltResponse(status=error.status, body=error.message)
    return next()


class Listeners:
    """The listeners: they hand on each kind of request before it is acknowledged."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._dialogs = ThreadPoolExecutor(max_workers=DIALOG_THREADS, thread_name_prefix="dialogs")

    def command(self, ack: Ack, body: dict[str, Any]) -> None:
        """Send a slash command to the broker and acknowledge it."""
        arguments = {
            "text": body.get("text", ""),
            "user_id": body["user_id"],
            "user_name": body.get("user_name", ""),
            "channel": body["channel_id"],
            "response_url": body["response_url"],
        }
        try:
            send(self._services.broker, "answer_command", arguments)
        except BrokerAwayError as error:
            log.warning("broker_away", error_type=type(error).__name__)
            ack(BROKER_AWAY)
        else:
            ack()

    def click(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Commit a button click to the outbox, open its dialog if it has one, and acknowledge it."""
        if action["action_id"] in ACTIONS and body["container"].get("type") != "view":
            arguments = click_arguments(body, action)
            parts = (arguments["user_id"], arguments["message_ts"], action["action_id"], action["action_ts"])
            is_new = self._enqueue("handle_click", arguments, key=f"click:{_hash(parts)}")
            if is_new and action["action_id"] in dialogs.TITLES:
                self._dialogs.submit(dialogs.open_at_once, self._services, action["action_id"], arguments["trigger_id"])
        ack()

    def submission(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """Commit a submitted dialog to the outbox and acknowledge it, which closes the dialog."""
        arguments: dict[str, Any] = {
            "callback_id": view["callback_id"],
            "value": view["private_metadata"],
            "user_id": body["user"]["id"],
            "user_name": body["user"].get("name", ""),
            "view_id": view["id"],
            "team_id": team_of(body),
        }
        if answers := answers_of(view):
            arguments["answers"] = answers
        parts = (arguments["user_id"], view["id"], view["callback_id"], view["private_metadata"])
        self._enqueue("handle_submission", arguments, key=f"submission:{_hash(parts)}")
        ack()

    def _enqueue(self, actor: str, arguments: dict[str, Any], *, key: str) -> bool:
        """Commit the job; return False if this very request came before, as when Slack sends it again."""
        with self._services.sessions.begin() as session:
            return outbox.enqueue(session, actor, arguments, key=key, now=self._services.clock())


def click_arguments(body: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of the job handle_click from a block_actions payload."""
    container = body["container"]
    return {
        "action_id": action["action_id"],
        "value": action.get("value") or "",
        "user_id": body["user"]["id"],
        "user_name": body["user"].get("name", ""),
        "channel": container["channel_id"],
        "message_ts": container["message_ts"],
        "thread_ts": container.get("thread_ts"),
        "trigger_id": body["trigger_id"],
        "response_url": body.get("response_url"),
        "team_id": team_of(body),
    }


def team_of(body: dict[str, Any]) -> str | None:
    """Return the workspace of the person who clicked, as Slack says."""
    return body["user"].get("team_id") or (body.get("team") or {}).get("id")


def answers_of(view: dict[str, Any]) -> dict[str, str]:
    """Return what was typed or chosen in a dialog, by the names of its inputs."""
    values = (view.get("state") or {}).get("values") or {}
    answers = {
        name: (entry.get("selected_option") or entry).get("value")
        for name, entries in values.items()
        for entry in entries.values()
    }
    return {name: answer for name, answer in answers.items() if isinstance(answer, str)}


def _hash(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]
