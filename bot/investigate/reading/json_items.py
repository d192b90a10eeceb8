"""The objects of a list in a JSON text, each with its line; of a text that breaks off, those that are whole."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class NoListError(ValueError):
    """The text holds neither a list nor an object with a list under one of the wanted names."""


def json_items(text: str, keys: Collection[str]) -> Iterator[tuple[int, str, object]]:
    """Yield (line, place, item) of `[…]` or `{"<key>": […]}`. line: from 1; place: "item[3]" or "commits[3]".

    Raises NoListError, and json.JSONDecodeError where the text breaks; what stands before that was yielded.
    """
    start = _skip(text, 0)
    if text[start : start + 1] == "[":
        yield from _list(text, start, "item")
        return
    if text[start : start + 1] != "{":
        _DECODER.raw_decode(text, start)
        raise NoListError
    yield from _member(text, start, keys)


def _member(text: str, start: int, keys: Collection[str]) -> Iterator[tuple[int, str, object]]:
    """Find the first member of an object that is a list under one of the keys, and yield its items."""
    at = _skip(text, start + 1)
    while text[at : at + 1] != "}":
        name, at = _DECODER.raw_decode(text, at)
        if not isinstance(name, str):
            raise json.JSONDecodeError("Expecting property name enclosed in double quotes", text, at)
        at = _skip(text, _expect(text, _skip(text, at), ":"))
        if name in keys and text[at : at + 1] == "[":
            yield from _list(text, at, name)
            return
        _, at = _DECODER.raw_decode(text, at)
        at = _next(text, at, "}")
    raise NoListError


def _list(text: str, start: int, name: str) -> Iterator[tuple[int, str, object]]:
    line, counted = 1, 0
    at, number = _skip(text, start + 1), 0
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        item, at = _DECODER.raw_decode(text, at)
        yield line, f"{name}[{number}]", item
        at, number = _next(text, at, "]"), number + 1


def _next(text: str, at: int, end: str) -> int:
    """Return where the next item begins, or the end stands."""
    at = _skip(text, at)
    return at if text[at : at + 1] == end else _skip(text, _expect(text, at, ","))


def _expect(text: str, at: int, character: str) -> int:
    if text[at : at + 1] != character:
        raise json.JSONDecodeError(f"Expecting {character!r}", text, at)
    return at + 1


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
