"""Reads data one file, day or case at a time: what cannot be read is named and left out, and the rest is measured."""

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
"""What reading raises where the data is not as its format says."""


def read_or_skipped(benchmark: str, name: str, read: Callable[[], Read]) -> Read | None:
    """What `read` gives; None where the data is not as it should be, which is told on standard error.

    `read` must do nothing but read, or a mistake in what is measured would be taken for one in the data.
    """
    try:
        return read()
    except UNREADABLE as error:
        print(f"{benchmark}: {name} is left out: {type(error).__name__}: {error}", file=sys.stderr)
        return None
