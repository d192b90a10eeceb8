"""The workspace's own base URL, as the caller reaches it."""

from __future__ import annotations

from fastapi import Request


def base_url(request: Request) -> str:
    """Return scheme, host and port of the request's URL, without a trailing slash."""
    return str(request.base_url).rstrip("/")
