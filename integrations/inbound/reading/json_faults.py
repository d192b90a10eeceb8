"""Why a text is no JSON, in words that help to mend it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable

import msgspec

_POSITION = re.compile(r"\(byte (\d+)\)")
_BARE = re.compile(rb"-?(?:NaN|Infinity)\b")


def fault(error: Exception, text: bytes) -> tuple[str, str] | None:
    """(field, message) where `text` holds a bare NaN or Infinity, or a number that no double can hold; else None.

    The field is a path such as "properties.prices[1]".
    """
    if isinstance(error, msgspec.ValidationError):
        field = _first_not_finite(text) if "out of range" in str(error) else None
        return (field, "is too large a number") if field else None
    bare = _bare(error, text)
    if bare is None:
        return None
    position, word = bare
    message = f"{word} is not JSON (byte {position} of this record); leave it out, or quote it"
    return _first_not_finite(text) or "", message


def _bare(error: Exception, text: bytes) -> tuple[int, str] | None:
    """(where, what) the decoder stopped at, if that is a word that JSON lacks."""
    position = _POSITION.search(str(error))
    if position is None:
        return None
    stopped = int(position[1])
    # The decoder points behind the sign of -Infinity.
    found = _BARE.match(text, stopped - 1 if text[stopped - 1 : stopped] == b"-" else stopped)
    return None if found is None else (found.start(), found[0].decode())


def _first_not_finite(text: bytes) -> str | None:
    """The path of the first number that is none, None where there is none or the text is no JSON even so."""
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
