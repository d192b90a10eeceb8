"""How long somebody waits for others before they give up: whoever waits for an answer waits less than a worker may."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Patience:
    """So many seconds to wait for others in all; one's own work does not count. `since` is monotonic, as it began."""

    def __init__(self, seconds: float) -> None:
        self.since = time.monotonic()
        self.left = seconds

    @contextmanager
    def spending(self) -> Iterator[float]:
        """Wait within the block, at most for the seconds given."""
        began = time.monotonic()
        try:
            yield self.left
        finally:
            self.left = max(0.0, self.left - (time.monotonic() - began))


_CURRENT: ContextVar[Patience | None] = ContextVar("patience", default=None)


def current_patience() -> Patience | None:
    """What the caller was given to wait with, if anything."""
    return _CURRENT.get()


@contextmanager
def waiting_with(patience: Patience) -> Iterator[None]:
    """Whatever begins a writing transaction within the block waits with this."""
    token = _CURRENT.set(patience)
    try:
        yield
    finally:
        _CURRENT.reset(token)
