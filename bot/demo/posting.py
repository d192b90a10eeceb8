"""Post to Argux and retry while the door is busy (back-pressure), as a well-behaved client does."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

ATTEMPTS = 30
_BUSY_STATUSES = (httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE)


async def post(client: httpx.AsyncClient, path: str, **request: Any) -> httpx.Response:
    """Post until the door responds with a status other than 429 or 503, and return the response.

    Waits as long as Retry-After says between attempts. After ATTEMPTS attempts it returns the last response as it is.
    Raises httpx.TransportError.
    """
    response = await client.post(path, **request)
    for _ in range(ATTEMPTS - 1):
        if response.status_code not in _BUSY_STATUSES:
            break
        await asyncio.sleep(float(response.headers.get("Retry-After", "1")))
        response = await client.post(path, **request)
    return response
