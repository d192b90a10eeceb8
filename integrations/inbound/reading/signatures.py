"""Whether a body was signed with a secret that both sides know."""

from __future__ import annotations

import hashlib
import hmac


def is_signed(body: bytes, secret: str, signature: str | None) -> bool:
    """Whether `signature` is the hexadecimal HMAC-SHA256 of the body; takes as long for any wrong one."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), (signature or "").strip().lower().encode("utf-8", "replace"))
