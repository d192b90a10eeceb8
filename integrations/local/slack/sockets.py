"""Socket Mode: the app connects over a WebSocket, receives people's actions as envelopes and acknowledges them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.conversations import APP_ID


class Sockets:
    """The open sockets and their envelopes that are not yet acknowledged."""

    def __init__(self, random_id: Callable[[], str]) -> None:
        self._random_id = random_id
        self._tickets: set[str] = set()
        self._open: list[WebSocket] = []
        self._unacknowledged: dict[str, asyncio.Future[Json]] = {}

    @property
    def connected(self) -> bool:
        """Whether an app is connected."""
        return bool(self._open)

    def ticket(self) -> str:
        """Create a ticket, which allows one connection and is part of its URL."""
        ticket = self._random_id()
        self._tickets.add(ticket)
        return ticket

    async def deliver(self, kind: str, payload: Json, *, seconds: float) -> Json:
        """Send one envelope (`interactive` or `slash_commands`) and return the payload of its acknowledgement.

        Raises TimeoutError if no acknowledgement arrives in time, ConnectionError if the socket is closed.
        """
        envelope_id = self._random_id()
        acknowledged: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._unacknowledged[envelope_id] = acknowledged
        envelope = {"envelope_id": envelope_id, "type": kind, "payload": payload, "accepts_response_payload": True}
        try:
            async with asyncio.timeout(seconds):
                await self._open[-1].send_json(envelope)
                return await acknowledged
        except (WebSocketDisconnect, RuntimeError, IndexError) as error:
            raise ConnectionError("the app's socket closed") from error
        finally:
            del self._unacknowledged[envelope_id]

    async def serve(self, socket: WebSocket, ticket: str) -> None:
        """Serve one connection until it closes."""
        if ticket not in self._tickets:
            await socket.close(code=1008)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        self._open.append(socket)
        try:
            await socket.send_json(self._hello())
            while True:
                self._acknowledge(await socket.receive_json())
        except (WebSocketDisconnect, ValueError, KeyError):
            # The app disconnected or sent something that is not JSON text; both end the connection.
            return
        finally:
            self._open.remove(socket)

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._open),
            "connection_info": {"app_id": APP_ID},
            "debug_info": {"host": "local", "approximate_connection_time": 3600},
        }

    def _acknowledge(self, answer: object) -> None:
        if not isinstance(answer, dict):
            return
        waiting = self._unacknowledged.get(str(answer.get("envelope_id")))
        if waiting is not None:
            with suppress(asyncio.InvalidStateError):
                waiting.set_result(answer.get("payload") or {})


def routes(sockets: Sockets) -> APIRouter:
    """Return the WebSocket route that apps.connections.open points to."""
    router = APIRouter()

    @router.websocket("/slack/socket")
    async def connect(socket: WebSocket, ticket: str = "") -> None:
        await sockets.serve(socket, ticket)

    return router
