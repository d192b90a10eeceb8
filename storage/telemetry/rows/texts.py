"""Make any text storable in every database.

PostgreSQL refuses NUL characters and over-long index entries, and neither database accepts half a surrogate pair. One
such record must not lose the batch it came in, so the text is repaired here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import lru_cache

import msgspec

from detection.types import JsonValue

_LONGEST_KEY = 300
_LITERALS = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")
_SPACES = re.compile(r"\s+")
_LONG_LISTS = re.compile(r"\(\s*(?:\?|%s)(?:\s*,\s*(?:\?|%s))+\s*\)")
_SEVERITY_RANKS = {"trace": 1, "debug": 5, "info": 9, "notice": 9, "warn": 13, "error": 17, "critical": 21, "fatal": 21}


def storable(text: str) -> str:
    """Return the text with characters that a database refuses replaced."""
    if text.isascii():
        return text.replace("\x00", "\ufffd") if "\x00" in text else text
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def storable_or_none(text: str | None) -> str | None:
    """Apply `storable` to a text that may be None."""
    return None if text is None else storable(text)


def storable_key(text: str) -> str:
    """Return text short enough for an index. Longer text keeps its beginning, and its hash keeps it distinct."""
    if len(text) <= _LONGEST_KEY:
        return storable(text)
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{storable(text[:200])}…{digest}"


def encode(properties: Mapping[str, JsonValue]) -> str:
    """Encode a mapping as JSON text. NaN and infinity become null.

    If the nesting is too deep to encode, all lists and mappings within it are left out.
    """
    try:
        return msgspec.json.encode(dict(properties)).decode()
    except UnicodeEncodeError:
        return json.dumps(dict(properties), ensure_ascii=False).encode("utf-8", "replace").decode()
    except RecursionError:
        return encode({name: value for name, value in properties.items() if not isinstance(value, dict | list)})


def decode(text: str) -> dict[str, JsonValue]:
    """Decode what `encode` encoded."""
    decoded: dict[str, JsonValue] = msgspec.json.decode(text)
    return decoded


@lru_cache(maxsize=4096)
def normalised_statement(statement: str) -> str:
    """Normalise SQL: literals become ?, lists of them (?, …), runs of white space one space."""
    text = _SPACES.sub(" ", _LITERALS.sub("?", storable(statement))).strip()
    return _LONG_LISTS.sub("(?, …)", text)


@lru_cache(maxsize=256)
def severity_rank(severity: str) -> int:
    """Return OpenTelemetry's severity number of a word such as "warning" or "ERROR2"; 9 (info) for unknown words."""
    word = severity.strip().lower()
    return next((rank for name, rank in _SEVERITY_RANKS.items() if word.startswith(name)), 9)


def severity_word(rank: int) -> str:
    """Return the highest severity word whose rank is not above `rank`; "trace" below all of them."""
    words = {1: "trace", 5: "debug", 9: "info", 13: "warn", 17: "error", 21: "fatal"}
    return words[max((least for least in words if least <= rank), default=1)]
