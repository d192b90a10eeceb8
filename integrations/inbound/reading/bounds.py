"""The limits of what is kept of one record: text, names, attributes and how deeply they nest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from detection.types import JsonValue

TEXT_LIMIT = 8_000
NAME_LIMIT = 200
ATTRIBUTES_KEPT = 128
_MAX_DEPTH = 8


def clipped(value: object, limit: int = TEXT_LIMIT) -> str:
    """Return text that a relational store can hold: at most `limit` characters, no NUL. Other values become JSON."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[:limit].replace("\x00", "\ufffd")


def bounded_attributes(found: Mapping[str, object], *, without: Iterable[str] = ()) -> dict[str, JsonValue]:
    """Return the fields except `without` as attributes, with limits on their number, text length and nesting depth."""
    left_out = set(without)
    names = [name for name in found if name not in left_out][:ATTRIBUTES_KEPT]
    return {clipped(name, NAME_LIMIT): _bounded(found[name], 0) for name in names}


def _bounded(value: object, depth: int) -> JsonValue:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return clipped(value)
    if depth >= _MAX_DEPTH:
        return None
    if isinstance(value, list):
        return [_bounded(item, depth + 1) for item in value[:ATTRIBUTES_KEPT]]
    if isinstance(value, Mapping):
        pairs = list(value.items())[:ATTRIBUTES_KEPT]
        return {clipped(str(name), NAME_LIMIT): _bounded(item, depth + 1) for name, item in pairs}
    return clipped(str(value))
