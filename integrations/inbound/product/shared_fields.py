"""What the readers of Segment, Amplitude and Mixpanel share: who did it, under which id, with which properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.inbound.product.events import NAME_LIMIT
from integrations.inbound.reading.records import FieldError

Identifier = str | int | float | None


def event_name(value: object, field: str) -> str:
    """A name that is there and not too long. Raises FieldError."""
    if value is None:
        raise FieldError(field, "is missing")
    if not isinstance(value, str) or not 1 <= len(value) <= NAME_LIMIT:
        raise FieldError(field, f"must be a text of 1 to {NAME_LIMIT} characters")
    return value


def first_identifier(candidates: Mapping[str, Any]) -> str:
    """The first id that is there, by its field's name. Raises FieldError, which names the first field."""
    for field, value in candidates.items():
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise FieldError(field, "must be a text or a number")
        if len(str(value)) > NAME_LIMIT:
            raise FieldError(field, f"must have at most {NAME_LIMIT} characters")
        return str(value)
    names = list(candidates)
    raise FieldError(names[0], f"is missing ({' or '.join(names[1:])} will do)")


def with_defaults(properties: Mapping[str, Any] | None, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The sender's own properties, and what else is known of the event under names that it does not use itself."""
    known = {name: value for name, value in defaults.items() if value not in (None, "", {}, [])}
    return {**known, **(properties or {})}
