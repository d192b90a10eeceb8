"""Check the signature of a body that was signed with a shared secret."""

from __future__ import annotations

import hashlib
import hmac


def is_signed(body: bytes, secret: str, signature: str | None) -> bool:
    """Whether `signature` is the hexadecimal HMAC-SHA256 of the body. The comparison takes constant time."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), (signature or "").strip().lower().encode("utf-8", "replace"))
