"""The words of code: names split at separators and changes of case, tables, hosts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text between blanks."""
    return frozenset(text.split())


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BORDER = re.compile(r"_+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_TABLE = re.compile(
    r"\b(?:from|join|update|into|table|index\s+(?:if\s+\w+\s+\w+\s+|concurrently\s+|if\s+exists\s+)*\w+\s+on)\s+"
    r"(?:if\s+(?:not\s+)?exists\s+)?[\"'`\[]?([A-Za-z_][\w.]*)",
    re.IGNORECASE,
)
_HOST = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|dev|cloud|local|internal|svc)\b", re.IGNORECASE)
_COMMON = word_set(
    """
    func function return if else for while in of not and or def class self this new var let const
    int string str bool boolean error err nil null none true false void public private static final
    async await import from the with as select insert update delete where set into values range
    append len context ctx struct type val value key data get
    """
)
_MOST = 60


@lru_cache(maxsize=8192)
def words_of(text: str) -> frozenset[str]:
    """Return the lower-case words of the names in a text: "DefaultTTL" has default and ttl."""
    return frozenset(part.lower() for name in _NAME.findall(text[:2000]) for part in _BORDER.split(name) if part)


def touched_words(texts: Iterable[str]) -> frozenset[str]:
    """Return what symptoms could name: names and their words, tables, hosts; at most 60."""
    found: dict[str, None] = {}
    for text in texts:
        for table in _TABLE.findall(text):
            found[table.lower()] = None
        for host in _HOST.findall(text):
            found[host.lower()] = None
        for name in _NAME.findall(text[:2000]):
            for part in (name, *_BORDER.split(name)):
                if len(part) > 2 and part.lower() not in _COMMON:
                    found[part.lower()] = None
    return frozenset(list(found)[:_MOST])
