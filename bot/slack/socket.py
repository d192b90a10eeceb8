"""Socket Mode: the same Bolt app over a WebSocket that Argux opens, for when Slack cannot reach Argux by HTTP.

What Slack would not send is refused as at the HTTP door, before Bolt sees it. It is acknowledged all the same, because
sending it again cannot help; a slash command is told the reason.
"""

from __future__ import annotations

import threading
from typing import Any

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.errors import BadRequestError, BotError
from bot.slack import requests

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0
COMMANDS = "slash_commands"


class SocketListener:
    """Connects to Slack in the background, with retries and backoff. Once connected, slack_sdk reconnects by itself."""

    def __init__(self, app: App, app_token: str) -> None:
        self._app = app
        self._handler = SocketModeHandler(app, app_token)
        # The handler's own listener is left out: it does not acknowledge what is refused, and fails on odd payloads.
        self._handler.client.socket_mode_request_listeners.clear()
        self._handler.client.message_listeners.append(self.receive)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._connect, name="slack socket", daemon=True)

    def receive(self, client: BaseSocketModeClient, message: dict[str, Any], raw_message: str | None = None) -> None:
        """Hand an envelope to the app, and acknowledge it unless the app failed. Other messages are left alone."""
        kind, envelope_id = message.get("type"), message.get("envelope_id")
        if not isinstance(kind, str) or not isinstance(envelope_id, str):
            return
        try:
            payload = message.get("payload")
            if not isinstance(payload, dict):
                raise BadRequestError("`payload` must be an object.", field="payload")
            requests.check(payload)
        except BotError as error:
            log.warning("slack_request_refused", reason=error.message)
            told = {"text": error.message} if kind == COMMANDS else None
            client.send_socket_mode_response(SocketModeResponse(envelope_id, payload=told))
            return
        request = SocketModeRequest(kind, envelope_id, payload)
        send_response(client, request, run_bolt_app(self._app, request), start_time=0.0)

    def start(self) -> None:
        """Start to connect in the background."""
        self._thread.start()

    def close(self) -> None:
        """Stop trying to connect, and close the connection."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)
        self._handler.client.close()

    def _connect(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while not self._stop.is_set():
            try:
                self._handler.client.connect_to_new_endpoint(force=True)
            except Exception as error:  # noqa: BLE001 - any network or Slack error is retried
                log.warning("slack_socket_failed", error_type=type(error).__name__, again_in_seconds=wait)
                self._stop.wait(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
            else:
                log.info("slack_socket_connected")
                return
