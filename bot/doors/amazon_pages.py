"""Fetch the Amazon pages that SNS messages link to: signing certificates and subscription confirmations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
from starlette.concurrency import run_in_threadpool

from integrations.errors import IntegrationError
from integrations.outbound import check_outbound_url, pinned

Fetch = Callable[[str], Awaitable[bytes]]
"""Fetches the page at a URL. Raises httpx.HTTPError."""

TIMEOUT_SECONDS = 5.0
LONGEST_PAGE = 65_536
CERTIFICATES_KEPT = 32


async def fetch(url: str) -> bytes:
    """Fetch a page of at most LONGEST_PAGE bytes through the guard for outside addresses, without redirects.

    Raises httpx.HTTPError.
    """
    try:
        check_outbound_url("Amazon", url)
        target, headers, extensions = await run_in_threadpool(pinned, "Amazon", url)
    except IntegrationError as error:
        raise httpx.ConnectError(str(error)) from error
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
        client.stream("GET", target, headers=headers, extensions=extensions) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise httpx.HTTPStatusError(f"HTTP {response.status_code}", request=response.request, response=response)
        page = b""
        async for chunk in response.aiter_bytes():
            page += chunk
            if len(page) > LONGEST_PAGE:
                raise httpx.DecodingError("the page is too long", request=response.request)
        return page


class AmazonPages:
    """Fetches Amazon's pages and caches the certificates. The caller must have checked that a URL is Amazon's."""

    def __init__(self, fetch: Fetch = fetch) -> None:
        self._fetch = fetch
        self._certificates: dict[str, bytes] = {}

    async def certificate(self, url: str) -> bytes:
        """Return the certificate at a URL, as PEM."""
        found = self._certificates.get(url)
        if found is None:
            found = await self._fetch(url)
            if len(self._certificates) >= CERTIFICATES_KEPT:
                self._certificates.clear()
            self._certificates[url] = found
        return found

    async def visit(self, url: str) -> None:
        """Request a URL and ignore the answer, as a click on it would."""
        await self._fetch(url)
