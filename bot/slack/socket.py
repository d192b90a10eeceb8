"""Socket Mode: the same Bolt app over a WebSocket that Argux opens, for workspaces that cannot reach it by HTTP."""

from __future__ import annotations

import threading

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0


class SocketListener:
    """Connects in the background until Slack answers; from then on slack_sdk reconnects by itself."""

    def __init__(self, app: App, app_token: str) -> None:
        self._handler = SocketModeHandler(app, app_token)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._connect, name="slack socket", daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Stop connecting, and hang up."""
        self._stop.set()
        self._thread.join(timeout=2)
        self._handler.client.close()

    def _connect(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while not self._stop.is_set():
            try:
                self._handler.client.connect_to_new_endpoint(force=True)
            except Exception as error:  # noqa: BLE001 - whatever the network or Slack throws is waited out
                log.warning("slack_socket_failed", error_type=type(error).__name__, again_in_seconds=wait)
                self._stop.wait(wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)
            else:
                log.info("slack_socket_connected")
                return
