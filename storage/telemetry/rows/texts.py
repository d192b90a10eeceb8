"""Text as every database takes it, however a sender wrote it.

PostgreSQL refuses NUL characters and over-long index entries, and neither database takes half a surrogate pair. One
such record must not lose the batch it came in, so it is mended here instead.
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
    """The text, with what no database takes replaced."""
    if text.isascii():
        return text.replace("\x00", "\ufffd") if "\x00" in text else text
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def storable_or_none(text: str | None) -> str | None:
    """The same for text that may be missing."""
    return None if text is None else storable(text)


def storable_key(text: str) -> str:
    """Text short enough for an index; longer text keeps its beginning and stays distinct by its hash."""
    if len(text) <= _LONGEST_KEY:
        return storable(text)
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{storable(text[:200])}…{digest}"


def encode(properties: Mapping[str, JsonValue]) -> str:
    """JSON text of a mapping; NaN and infinity become null, and what is nested absurdly deep is left out."""
    try:
        return msgspec.json.encode(dict(properties)).decode()
    except UnicodeEncodeError:
        return json.dumps(dict(properties), ensure_ascii=False).encode("utf-8", "replace").decode()
    except RecursionError:
        return encode({name: value for name, value in properties.items() if not isinstance(value, dict | list)})


def decode(text: str) -> dict[str, JsonValue]:
    """Read `encode` back."""
    decoded: dict[str, JsonValue] = msgspec.json.decode(text)
    return decoded


@lru_cache(maxsize=4096)
def normalised_statement(statement: str) -> str:
    """SQL with literals as ?, lists of them as (?, …) and runs of space as one: equal work, equal text."""
    text = _SPACES.sub(" ", _LITERALS.sub("?", storable(statement))).strip()
    return _LONG_LISTS.sub("(?, …)", text)


@lru_cache(maxsize=256)
def severity_rank(severity: str) -> int:
    """OpenTelemetry's severity number of a word such as "warning" or "ERROR2"; 9 (info) for words unknown."""
    word = severity.strip().lower()
    return next((rank for name, rank in _SEVERITY_RANKS.items() if word.startswith(name)), 9)


def severity_word(rank: int) -> str:
    """The word for a severity number: what `severity_rank` makes of it is no higher than `rank`."""
    words = {1: "trace", 5: "debug", 9: "info", 13: "warn", 17: "error", 21: "fatal"}
    return words[max((least for least in words if least <= rank), default=1)]
