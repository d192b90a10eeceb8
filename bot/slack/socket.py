"""Socket Mode: the same Bolt app over a WebSocket that Argux opens, for when Slack cannot reach Argux by HTTP."""

from __future__ import annotations

import threading

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

log = structlog.get_logger()

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 30.0


class SocketListener:
    """Connects to Slack in the background, with retries and backoff. Once connected, slack_sdk reconnects by itself."""

    def __init__(self, app: App, app_token: str) -> None:
        self._handler = SocketModeHandler(app, app_token)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._connect, name="slack socket", daemon=True)

    def start(self) -> None:
        """Start to connect in the background."""
        self._thread.start()

    def close(self) -> None:
        """Stop trying to connect, and close the connection."""
        self._stop.set()
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
