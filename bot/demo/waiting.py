"""Poll until a condition in another process holds, or fail with the name of the stage."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.demo.errors import StageError

Found = TypeVar("Found")


async def until(
    look: Callable[[], Awaitable[Found | None]], stage: str, limit_seconds: float, *, every: float = 0.5
) -> Found:
    """Call `look` every `every` seconds until it returns something other than None, and return that.

    Raises StageError after `limit_seconds`, which may be infinite.
    """
    try:
        async with asyncio.timeout(None if math.isinf(limit_seconds) else limit_seconds):
            while True:
                found = await look()
                if found is not None:
                    return found
                await asyncio.sleep(every)
    except TimeoutError:
        raise StageError(stage, f"did not come to its end within {limit_seconds:.0f} s") from None


async def until_true(
    holds: Callable[[], Awaitable[bool]], stage: str, limit_seconds: float, *, every: float = 0.5
) -> None:
    """Call `holds` every `every` seconds until it is true. Raises StageError after `limit_seconds`."""

    async def look() -> bool | None:
        return await holds() or None

    await until(look, stage, limit_seconds, every=every)
