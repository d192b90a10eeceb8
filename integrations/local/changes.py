"""Tells open pages that something changed, and ends their streams when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

HEARTBEAT_SECONDS = 15.0


class Changes:
    """A counter that open streams wait on. Used from the server's event loop only."""

    def __init__(self) -> None:
        self._version = 0
        self._waiting: set[asyncio.Event] = set()
        self._closing = asyncio.Event()

    @property
    def version(self) -> int:
        """How many changes there have been since the server started."""
        return self._version

    def announce(self) -> None:
        """Wake every open stream."""
        self._version += 1
        self._wake()

    def close(self) -> None:
        """End every open stream and every pause; the server is stopping."""
        self._closing.set()
        self._wake()

    async def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the server lives."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    async def stream(self) -> AsyncIterator[str]:
        """Server-sent events: one now, one after every change, and a comment as a heartbeat when nothing changes."""
        changed = asyncio.Event()
        self._waiting.add(changed)
        try:
            yield self._event()
            while not self._closing.is_set():
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):
                        await changed.wait()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                changed.clear()
                if not self._closing.is_set():
                    yield self._event()
        finally:
            self._waiting.discard(changed)

    def _event(self) -> str:
        return f"event: changed\ndata: {self._version}\n\n"

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()
