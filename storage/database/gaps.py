"""Let other writers in between the short transactions of long work."""

from __future__ import annotations

import time

from sqlalchemy import Engine

_GAP_SECONDS = 0.01
"""On SQLite a waiting writer looks every few milliseconds whether the database is free. This gap lets it in."""


def let_others_write(engine: Engine) -> None:
    """Pause for a moment on SQLite, which has one writer at a time and keeps no queue of those that wait."""
    if engine.dialect.name == "sqlite":
        time.sleep(_GAP_SECONDS)
