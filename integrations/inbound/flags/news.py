"""What a delivery about flags holds, and flags' values as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from detection.types import FlagChange

NAME_LIMIT = 200
FLAG_LIMIT = 300
VALUE_LIMIT = 10_000
ON, OFF = "on", "off"

_CANONICAL = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class FlagNews:
    """The changes of one delivery, or the reason why it is ignored."""

    changes: Sequence[FlagChange] = ()
    ignored: str = ""


def value_text(value: object) -> str:
    """Return a flag's value as text: "true", "20", a text as it is, an object as JSON with its names in order."""
    text = value if isinstance(value, str) else _CANONICAL.encode(value).decode()
    return text[:VALUE_LIMIT]


def changed_parts(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the entries in which two objects differ, of the one and of the other."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ({name: found[name] for name in names if name in found} for found in (before, after))  # type: ignore[return-value]


def text_of(value: object, limit: int = NAME_LIMIT) -> str:
    """Return a value as short text; empty for None and for what is no text or number."""
    return str(value).strip()[:limit] if isinstance(value, str | int) and not isinstance(value, bool) else ""
