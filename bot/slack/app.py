"""The Bolt app: it acks and hands on, and does nothing else.

A slash command goes straight to the broker: it only reads, and whoever typed it can type it again. A click or a
submitted dialog is a decision, so it is committed to the outbox before Slack is told that it arrived; Slack sending it
again finds the same key and changes nothing. No listener waits for Slack: the dialog that some clicks open, and that
Slack takes only within 3 seconds, is opened empty by a thread beside, and filled by a worker.
"""

from __future__ import annotations

import hashlib
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from slack_bolt import Ack, App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

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
        "create_ticket",
        "diagnose_again",
        "escalate",
        "false_alarm",
        "resolve",
        "snooze",
        "unsnooze",
    )
)
"""The buttons that decide something. Others, such as links, are acked and forgotten."""

DIALOG_THREADS = 4
"""How many dialogs are being opened at one time."""

BROKER_AWAY = "Argux cannot take commands right now: its job queue does not answer. Please try again in a minute."


def create_slack_app(services: Services) -> App:
    """Wire the listeners; talks to nobody, so Slack being down does not keep Argux from starting.

    `process_before_response` makes Bolt answer as soon as a listener returns; otherwise it looks every 10 ms whether
    one has acked. `authorize` is ours, because Bolt's own asks auth.test on the first request. Middleware for things
    that Argux does not use (events, custom steps) is off.
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
    listeners = Listeners(services)
    app.command(COMMAND)(listeners.command)
    app.action(re.compile(""))(listeners.click)
    app.view(re.compile(""))(listeners.submission)
    return app


def _quiet_logger() -> logging.Logger:
    """Errors only: Bolt tells whole bodies at INFO, and warns that the token in the environment is not used."""
    logger = logging.getLogger("argux.slack")
    logger.setLevel(logging.ERROR)
    return logger


def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Take the signature (or the socket's own token) as enough; a worker checks what each person may do."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)


class Listeners:
    """What happens to each kind of request before it is acked."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._dialogs = ThreadPoolExecutor(max_workers=DIALOG_THREADS, thread_name_prefix="dialogs")

    def command(self, ack: Ack, body: dict[str, Any]) -> None:
        """A slash command: to the broker, and acked."""
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
        """A button: into the outbox, then acked."""
        if action["action_id"] in ACTIONS:
            arguments = click_arguments(body, action)
            parts = (arguments["user_id"], arguments["message_ts"], action["action_id"], action["action_ts"])
            self._store("handle_click", arguments, key=f"click:{_hash(parts)}")
            if action["action_id"] in dialogs.TITLES:
                self._dialogs.submit(dialogs.open_at_once, self._services, action["action_id"], arguments["trigger_id"])
        ack()

    def submission(self, ack: Ack, body: dict[str, Any], view: dict[str, Any]) -> None:
        """A submitted dialog: into the outbox, then acked, which closes it."""
        arguments = {
            "callback_id": view["callback_id"],
            "value": view["private_metadata"],
            "user_id": body["user"]["id"],
            "user_name": body["user"].get("name", ""),
            "view_id": view["id"],
        }
        parts = (arguments["user_id"], view["id"], view["callback_id"], view["private_metadata"])
        self._store("handle_submission", arguments, key=f"submission:{_hash(parts)}")
        ack()

    def _store(self, actor: str, arguments: dict[str, Any], *, key: str) -> None:
        with self._services.sessions.begin() as session:
            outbox.enqueue(session, actor, arguments, key=key, now=self._services.clock())


def click_arguments(body: dict[str, Any], action: dict[str, Any]) -> dict[str, Any]:
    """What handle_click wants of a block_actions payload."""
    container = body["container"]
    return {
        "action_id": action["action_id"],
        "value": action.get("value", ""),
        "user_id": body["user"]["id"],
        "user_name": body["user"].get("name", ""),
        "channel": container["channel_id"],
        "message_ts": container["message_ts"],
        "thread_ts": container.get("thread_ts"),
        "trigger_id": body["trigger_id"],
        "response_url": body.get("response_url"),
    }


def _hash(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:40]
