"""Many small appends, one commit: what arrives while a commit is under way is committed together with the next.

A commit costs a write to the disk however little is in it, and SQLite makes one after the other. So one commit at a
time is under way, the first sender is never kept waiting for others, and nobody is answered before their records are
durable (the group commit of DeWitt et al. 1984).
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
"""Appends that one commit takes at most, so that it stays short."""


class GroupCommit(Generic[Record]):
    """Lives on one event loop. `commit` stores groups of records at once and says of each what became of it."""

    def __init__(self, commit: Callable[[Sequence[Sequence[Record]]], Awaitable[Sequence[Appended]]]) -> None:
        self._commit = commit
        self._waiting: list[tuple[Sequence[Record], asyncio.Future[Appended]]] = []
        self._committing: asyncio.Task[None] | None = None

    async def append(self, records: Sequence[Record]) -> Appended:
        """Durable when it returns. Raises what `commit` raised; then nothing of the group was stored.

        Where the database could not be had, those who wait behind that commit are told at once: it would be in vain.
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
        except Exception as error:  # noqa: BLE001 - each sender is told
            told = [*taken]
            if isinstance(error, OperationalError | DatabaseUnavailableError):
                told += self._waiting
                self._waiting.clear()
            for _, answer in told:
                if not answer.done():
                    answer.set_exception(error)
            return
        for (_, answer), one in zip(taken, appended, strict=True):
            # A sender that hung up does not wait any more; what it sent is stored all the same.
            if not answer.done():
                answer.set_result(one)
