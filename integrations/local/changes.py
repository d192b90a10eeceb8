"""Notify open pages of changes over server-sent events, and end their streams when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

HEARTBEAT_SECONDS = 15.0


class Changes:
    """A change counter that open streams wait on. Use it only from the server's event loop."""

    def __init__(self) -> None:
        self._version = 0
        self._waiting: set[asyncio.Event] = set()
        self._closing = asyncio.Event()

    @property
    def version(self) -> int:
        """The number of changes since the server started."""
        return self._version

    def announce(self) -> None:
        """Count a change and wake every open stream."""
        self._version += 1
        self._wake()

    def close(self) -> None:
        """End every open stream and every pause, because the server is stopping."""
        self._closing.set()
        self._wake()

    async def pause(self, seconds: float) -> None:
        """Sleep for `seconds`, or until the server stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return

    async def stream(self) -> AsyncIterator[str]:
        """Yield server-sent events: one at once, one after every change, and a comment as heartbeat between changes."""
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
