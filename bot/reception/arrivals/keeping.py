"""Keep a process's tallies in the database, every few seconds, where the API and `argux doors` read those of all.

The database, not the broker: a web process needs no broker, and a newcomer has none yet. While the database is away the
tallies wait in memory, for an hour at most. One row a process and minute, so that a write costs the same however much
comes in.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio.to_thread
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.reception.arrivals.tallies import KEPT_MINUTES, Tallies
from storage import arrivals
from storage.database.patience import Patience, waiting_with
from storage.errors import StorageError
from workers.services import Services

KEEP_EVERY_SECONDS = 2.0
PATIENCE_SECONDS = 1.0

log = structlog.get_logger()

Contents = dict[int, list[dict[str, Any]]]


class Arrivals:
    """What came in through the doors of one process. Count with `tallies`; `keep` writes what changed."""

    def __init__(self, services: Services) -> None:
        self.tallies = Tallies()
        self._services = services
        self._process = secrets.token_hex(8)
        self._lock = asyncio.Lock()
        self._is_waiting = False

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keep the tallies for the duration of the block, and once more at its end."""
        keeping = asyncio.create_task(self._keep_on())
        try:
            yield
        finally:
            keeping.cancel()
            await self.keep()

    async def _keep_on(self) -> None:
        while True:
            await asyncio.sleep(KEEP_EVERY_SECONDS)
            await self.keep()

    async def keep(self) -> None:
        """Write what changed since the last time. What cannot be written now waits for the next time."""
        async with self._lock:
            contents = self._taken()
            if contents:
                self._note(contents, await anyio.to_thread.run_sync(self._write, contents))

    def keep_now(self) -> None:
        """Do as `keep` does, in a process without an event loop."""
        contents = self._taken()
        if contents:
            self._note(contents, self._write(contents))

    def _taken(self) -> Contents:
        contents = {minute: self.tallies.content(minute) for minute in sorted(self.tallies.unkept)}
        self.tallies.unkept.clear()
        return contents

    def _note(self, contents: Contents, is_written: bool) -> None:
        if is_written:
            self.tallies.kept(contents)
        else:
            self.tallies.put_back(contents)
        # Said once, not every two seconds for as long as the database is away.
        if self._is_waiting is is_written:
            log.info("arrivals_kept_again") if is_written else log.warning("arrivals_wait_for_the_database")
        self._is_waiting = not is_written

    def _write(self, contents: Contents) -> bool:
        """Write the minutes and delete those that are over an hour old. Return whether that was possible."""
        before = self._services.clock() - timedelta(minutes=KEPT_MINUTES + 1)
        try:
            with waiting_with(Patience(PATIENCE_SECONDS)), self._services.sessions.begin() as session:
                for minute, tallies in contents.items():
                    arrivals.save(session, self._process, datetime.fromtimestamp(60 * minute, UTC), tallies)
                arrivals.delete_before(session, before)
        except (SQLAlchemyError, StorageError):
            return False
        return True
