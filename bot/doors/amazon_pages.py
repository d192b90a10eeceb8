"""Pages of Amazon's that its messages point to: signing certificates, and the address that confirms a subscription."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx

Fetch = Callable[[str], Awaitable[bytes]]
"""Gets the page at an address. Raises httpx.HTTPError."""

TIMEOUT_SECONDS = 5.0
LONGEST_PAGE = 65_536
CERTIFICATES_KEPT = 32


async def fetch(url: str) -> bytes:
    """Get a page of LONGEST_PAGE bytes at most; follows no redirect, since only the address asked for was checked."""
    async with (
        httpx.AsyncClient(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
        client.stream("GET", url) as response,
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
    """Reads such pages; a certificate is fetched once. The caller has checked whose address it is."""

    def __init__(self, fetch: Fetch = fetch) -> None:
        self._fetch = fetch
        self._certificates: dict[str, bytes] = {}

    async def certificate(self, url: str) -> bytes:
        """The certificate at an address, as PEM."""
        found = self._certificates.get(url)
        if found is None:
            found = await self._fetch(url)
            if len(self._certificates) >= CERTIFICATES_KEPT:
                self._certificates.clear()
            self._certificates[url] = found
        return found

    async def visit(self, url: str) -> None:
        """Open an address, as a person would by clicking it."""
        await self._fetch(url)
