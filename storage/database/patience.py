"""Patience: a wait budget, the total time a caller may spend waiting for other writers before it fails.

A request that somebody waits for gets a smaller budget than a background worker.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Patience:
    """A wait budget: `left` seconds may still be spent waiting for others. The caller's own work does not count."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    @contextmanager
    def spending(self) -> Iterator[float]:
        """Measure the wait within the block and deduct it; yield the seconds that may be spent."""
        began = time.monotonic()
        try:
            yield self.left
        finally:
            self.left = max(0.0, self.left - (time.monotonic() - began))


_CURRENT: ContextVar[Patience | None] = ContextVar("patience", default=None)


def current_patience() -> Patience | None:
    """Return the wait budget of the current context, or None."""
    return _CURRENT.get()


@contextmanager
def waiting_with(patience: Patience) -> Iterator[None]:
    """Apply a wait budget to all writing transactions that begin within the block."""
    token = _CURRENT.set(patience)
    try:
        yield
    finally:
        _CURRENT.reset(token)
