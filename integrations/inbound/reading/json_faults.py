"""Explain why a text is not valid JSON, so that the sender can correct it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable

import msgspec

_POSITION = re.compile(r"\(byte (\d+)\)")
_BARE = re.compile(rb"-?(?:NaN|Infinity)\b")


def describe_number_fault(error: Exception, text: bytes) -> tuple[str, str] | None:
    """Return (field, message) if `text` has a bare NaN or Infinity, or a number too large for a double; else None.

    The field is a path such as "properties.prices[1]".
    """
    if isinstance(error, msgspec.ValidationError):
        field = _first_not_finite(text) if "out of range" in str(error) else None
        return (field, "is too large a number") if field else None
    bare = _bare_constant(error, text)
    if bare is None:
        return None
    position, word = bare
    message = f"{word} is not JSON (byte {position} of this record); leave it out, or quote it"
    return _first_not_finite(text) or "", message


def _bare_constant(error: Exception, text: bytes) -> tuple[int, str] | None:
    """Return (position, word) if the decoder stopped at a bare NaN or Infinity, else None."""
    position = _POSITION.search(str(error))
    if position is None:
        return None
    stopped = int(position[1])
    # For -Infinity the decoder reports the position after the sign.
    found = _BARE.match(text, stopped - 1 if text[stopped - 1 : stopped] == b"-" else stopped)
    return None if found is None else (found.start(), found[0].decode())


def _first_not_finite(text: bytes) -> str | None:
    """Return the path of the first number that is not finite. Return None if there is none or the text is not JSON."""
    try:
        open_values = [("", json.loads(text.decode("utf-8", "replace")))]
    except (ValueError, RecursionError):
        return None
    while open_values:
        path, value = open_values.pop()
        if isinstance(value, float) and not math.isfinite(value):
            return path
        open_values += reversed(list(_within(path, value)))
    return None


def _within(path: str, value: object) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        return ((f"{path}.{name}" if path else name, inner) for name, inner in value.items())
    if isinstance(value, list):
        return ((f"{path}[{index}]", inner) for index, inner in enumerate(value))
    return ()
