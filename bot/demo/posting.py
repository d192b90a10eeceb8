"""Sending to Argux as any well-behaved sender does: a door that is full for the moment is asked again."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

ATTEMPTS = 30
_COME_AGAIN = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


async def post(client: httpx.AsyncClient, path: str, **request: Any) -> httpx.Response:
    """Post until the door answers other than 429 or 503, waiting as long as it says; the last answer after ATTEMPTS.

    Raises httpx.TransportError.
    """
    response = await client.post(path, **request)
    for _ in range(ATTEMPTS - 1):
        if response.status_code not in _COME_AGAIN:
            break
        await asyncio.sleep(float(response.headers.get("Retry-After", "1")))
        response = await client.post(path, **request)
    return response
