"""Tell visitors without cookies apart, by what every request shows of them, and without keeping any of it."""

from __future__ import annotations

import hmac

from fastapi import Request

_DIGITS = 32


def visitor_of(request: Request, key: bytes) -> str:
    """Return a keyed digest of the browser's address and name; the same browser has the same.

    Behind a proxy the address is the first of X-Forwarded-For. A false one there makes a visitor of its own, no more.
    """
    forwarded = request.headers.get("x-forwarded-for", "").partition(",")[0].strip()
    address = forwarded or (request.client.host if request.client else "")
    seen = f"argux: visitor\n{address}\n{request.headers.get('user-agent', '')}"
    return hmac.digest(key, seen.encode("utf-8", "replace"), "sha256").hex()[:_DIGITS]
