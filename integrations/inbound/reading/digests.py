"""Create ids for records that come without one."""

from __future__ import annotations

import hashlib

import msgspec

_CANONICAL = msgspec.json.Encoder(order="deterministic")


def digest(*parts: object) -> str:
    """Return the same id for the same parts: 32 hexadecimal digits."""
    return hashlib.blake2b(_CANONICAL.encode(parts), digest_size=16).hexdigest()
