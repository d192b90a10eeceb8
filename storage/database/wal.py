"""Keep SQLite's write-ahead log short while there is always somebody reading."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy import Engine

LONGEST_LOG_BYTES = 64 * 1024 * 1024
"""Beyond this the log is begun anew. It takes twice as much as SQLite's own checkpoints let it grow to."""

_PATIENCE_MILLISECONDS = 200
"""How long a checkpoint waits for readers. Writers wait for it meanwhile, so it gives up soon and is tried again."""


def shorten_log(engine: Engine) -> bool:
    """Begin SQLite's log anew if it has grown long; return whether that was tried.

    SQLite does that by itself only at a moment without readers. Where reads overlap all the time that moment never
    comes, and the log grows, and every read becomes slower, for as long as data keeps coming.
    """
    path = engine.url.database
    if engine.dialect.name != "sqlite" or path is None:
        return False
    log = Path(f"{path}-wal")
    if not log.exists() or log.stat().st_size <= LONGEST_LOG_BYTES:
        return False
    connection = sqlite3.connect(path, timeout=_PATIENCE_MILLISECONDS / 1000, isolation_level=None)
    try:
        # Most is moved without keeping anybody waiting; then there is little left to wait for.
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
    return True
