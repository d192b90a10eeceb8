"""Files that outlive a power cut, and their names within SQL."""

from __future__ import annotations

import os
from pathlib import Path


def quoted(path: Path) -> str:
    """A path within the quotes of an SQL text."""
    return str(path).replace("'", "''")


def sync(path: Path) -> None:
    """Make a file's content, or a directory's names, outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
