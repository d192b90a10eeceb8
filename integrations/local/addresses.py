"""The workspace's own address, as whoever is calling reaches it."""

from __future__ import annotations

from fastapi import Request


def base_url(request: Request) -> str:
    """Scheme, host and port, without a slash at the end."""
    return str(request.base_url).rstrip("/")
