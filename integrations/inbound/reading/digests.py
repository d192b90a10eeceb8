"""Create ids for records that come without one."""

from __future__ import annotations

import hashlib
from collections import Counter

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


class RecordIds:
    """Makes ids for the records of one request that come without one. `now` is when the request arrived.

    A record with a time of its own gets the same id whenever it is sent, so that a repeated delivery counts once. One
    without happened when it arrived, so it is another record in each request. Equal records of one request are several.
    """

    def __init__(self, now: float) -> None:
        self._now = now
        self._seen: Counter[str] = Counter()

    def of(self, *content: object, has_time: bool) -> str:
        """Return the id of one record, unique within its application. `content` is all that tells it from others."""
        made = digest(*content) if has_time else digest(*content, "arrived", self._now)
        self._seen[made] += 1
        count = self._seen[made]
        return WITHIN_SENDER + (made if count == 1 else digest(made, count))
