"""Group commit: appends that arrive while a commit is running are committed together in the next one.

Every commit costs a disk write, however small it is, and SQLite commits one at a time. With group commit (DeWitt et al.
1984) only one commit runs at a time, the first sender never waits for others to join, and every sender is answered only
when its records are durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import OperationalError

from storage.errors import DatabaseUnavailableError
from storage.telemetry.protocol import Appended

Record = TypeVar("Record")

MAX_GROUPS_PER_COMMIT = 256
"""How many appends one commit takes at most, so that it stays short."""


class GroupCommit(Generic[Record]):
    """Use on one event loop. `commit` stores several groups of records in one commit and returns a result for each."""

    def __init__(self, commit: Callable[[Sequence[Sequence[Record]]], Awaitable[Sequence[Appended]]]) -> None:
        self._commit = commit
        self._waiting: list[tuple[Sequence[Record], asyncio.Future[Appended]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def append(self, records: Sequence[Record]) -> Appended:
        """Append records; they are durable on return. Raises what `commit` raises; then nothing of them was stored.

        If the database is locked or unavailable, the appends waiting for the next commit fail at once with the same
        error, because another attempt would fail as well.
        """
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((records, answer))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
        appended: Appended = await answer
        return appended

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                taken = self._waiting[:MAX_GROUPS_PER_COMMIT]
                del self._waiting[:MAX_GROUPS_PER_COMMIT]
                await self._commit_together(taken)
        finally:
            self._committing = None

    async def _commit_together(self, taken: Sequence[tuple[Sequence[Record], asyncio.Future[Appended]]]) -> None:
        try:
            appended = await self._commit([records for records, _ in taken])
        except Exception as error:  # noqa: BLE001 - passed on to each sender
            failed = [*taken]
            if isinstance(error, OperationalError | DatabaseUnavailableError):
                failed += self._waiting
                self._waiting.clear()
            for _, answer in failed:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), one in zip(taken, appended, strict=True):
            # The answer is already done when its sender was cancelled; its records are stored all the same.
            if not answer.done():
                answer.set_result(one)
