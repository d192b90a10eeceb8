"""Paygate: a small HTTP server that stands for the company which takes the shop's payments, with its status page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

HOST = "api.paygate.example"
COMPANY = "Paygate"
_CHARGES = "POST /v1/charges "
_SUMMARY = "GET /api/v2/summary.json "


class Provider:
    """The company: it takes every payment, or answers 503 while it is down. `url` is where it answers."""

    def __init__(self) -> None:
        self.url = ""
        self._down_since: datetime | None = None
        self._up_since: datetime | None = None
        self._open: set[asyncio.StreamWriter] = set()

    def fail(self) -> datetime:
        """Go down; return since when."""
        self._down_since, self._up_since = datetime.now(UTC), None
        return self._down_since

    def recover(self) -> None:
        """Come back."""
        self._up_since = datetime.now(UTC)

    @property
    def is_down(self) -> bool:
        """Whether it answers 503."""
        return self._down_since is not None and self._up_since is None

    def summary(self) -> dict[str, Any]:
        """Return the summary of its status page, as Statuspage writes it (`/api/v2/summary.json`)."""
        component = {
            "id": "charges",
            "name": "Charges API",
            "status": "major_outage" if self.is_down else "operational",
        }
        incident: dict[str, Any] = {
            "id": "charges-unavailable",
            "name": "Charges are answered with 503",
            "impact": "major",
            "status": "investigating" if self.is_down else "resolved",
            "components": [component],
        }
        if self._down_since is not None:
            incident["created_at"] = incident["started_at"] = self._down_since.isoformat()
            incident["updated_at"] = (self._up_since or self._down_since).isoformat()
            incident["resolved_at"] = self._up_since.isoformat() if self._up_since else None
        return {
            "page": {"id": "paygate", "name": COMPANY, "url": f"https://status.{HOST.removeprefix('api.')}"},
            "status": {"indicator": "major" if self.is_down else "none", "description": ""},
            "components": [component],
            "incidents": [] if self._down_since is None else [incident],
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Provider]:
        """Answer on a free port of this machine while the block runs."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for writer in self._open.copy():
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until its end."""
        self._open.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                await reader.readexactly(_length(head))
                writer.write(_response(*self._answer(head)))
                await writer.drain()
        self._open.discard(writer)
        writer.close()

    def _answer(self, head: str) -> tuple[str, object]:
        if head.startswith(_SUMMARY):
            return "200 OK", self.summary()
        if not head.startswith(_CHARGES):
            return "404 Not Found", {"error": "there is no such address"}
        if self.is_down:
            return "503 Service Unavailable", {"error": "charges are unavailable"}
        return "201 Created", {"status": "charged"}


def _length(head: str) -> int:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            return int(value)
    return 0


def _response(status: str, content: object) -> bytes:
    body = json.dumps(content).encode()
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
