"""Runs the workspace under uvicorn so that open pages never hold up its stop."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from integrations.local.changes import Changes

GRACEFUL_STOP_SECONDS = 5
# Longer than the clients keep a connection: what is sent on one just as the server closes it would be lost.
KEEP_ALIVE_SECONDS = 75


class WorkspaceServer(uvicorn.Server):
    """uvicorn waits for open responses before it stops; a page's event stream would never end by itself."""

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
        """End the streams, then stop as uvicorn does."""
        self._changes.close()
        await super().shutdown(sockets)
