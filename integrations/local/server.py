"""Run the workspace under uvicorn; open pages do not delay its shutdown."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from integrations.local.changes import Changes

GRACEFUL_STOP_SECONDS = 5
# Longer than clients keep a connection open: a request sent just when the server closes the connection would be lost.
KEEP_ALIVE_SECONDS = 75


class WorkspaceServer(uvicorn.Server):
    """A uvicorn server that ends the event streams of open pages before it stops.

    uvicorn waits for open responses, and an event stream never ends by itself.
    """

    def __init__(self, app: FastAPI, *, port: int, host: str = "127.0.0.1") -> None:
        super().__init__(
            uvicorn.Config(
                app,
                host=host,
                port=port,
                log_level="warning",
                ws="websockets-sansio",
                timeout_graceful_shutdown=GRACEFUL_STOP_SECONDS,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
            )
        )
        changes = app.state.changes
        assert isinstance(changes, Changes)
        self._changes = changes

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams, then stop as uvicorn does."""
        self._changes.close()
        await super().shutdown(sockets)
