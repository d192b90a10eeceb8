"""Create ids for records that come without one."""

from __future__ import annotations

import hashlib

import msgspec

_CANONICAL = msgspec.json.Encoder(order="deterministic")


WITHIN_SENDER = "\x1e"
"""Begins a digest that is unique among what one application sends; the door makes it unique among all of them."""


def digest_within_sender(*parts: object) -> str:
    """Return an id as `digest` does, marked as one that two applications may both arrive at."""
    return WITHIN_SENDER + digest(*parts)


def digest(*parts: object) -> str:
    """Return the same id for the same parts: 32 hexadecimal digits."""
    return hashlib.blake2b(_CANONICAL.encode(parts), digest_size=16).hexdigest()
