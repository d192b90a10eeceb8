"""Make files durable, and quote their paths for SQL."""

from __future__ import annotations

import os
from pathlib import Path


def quoted(path: Path) -> str:
    """Escape a path for use between single quotes in SQL."""
    return str(path).replace("'", "''")


def sync(path: Path) -> None:
    """Flush a file's content, or a directory's entries, to disk (fsync), so that they survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
