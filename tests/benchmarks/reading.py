"""Read data by file, day or case; report what cannot be read, leave it out, and measure the rest."""

from __future__ import annotations

import csv
import sys
import zlib
from collections.abc import Callable
from typing import TypeVar

Read = TypeVar("Read")

UNREADABLE = (
    OSError, ValueError, KeyError, IndexError, TypeError, SyntaxError, EOFError, csv.Error, zlib.error,
)  # fmt: skip
"""The errors that reading raises if the data violates its format."""


def read_or_skipped(benchmark: str, name: str, read: Callable[[], Read]) -> Read | None:
    """Return the result of `read`; if the data cannot be read, report that on stderr and return None.

    `read` must only read, or a bug in the measured code would be reported as bad data.
    """
    try:
        return read()
    except UNREADABLE as error:
        print(f"{benchmark}: {name} is left out: {type(error).__name__}: {error}", file=sys.stderr)
        return None
