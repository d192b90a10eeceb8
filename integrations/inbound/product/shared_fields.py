"""Field helpers for the readers of Segment, Amplitude and Mixpanel: event name, user id, default properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.inbound.product.events import NAME_LIMIT
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.senders_ids import id_text, is_of_nobody

Identifier = str | int | float | None


def event_name(value: object, field: str) -> str:
    """Return the name if it is set and not too long. Raises FieldError otherwise."""
    if value is None:
        raise FieldError(field, "is missing")
    if not isinstance(value, str) or not 1 <= len(value) <= NAME_LIMIT:
        raise FieldError(field, f"must be a text of 1 to {NAME_LIMIT} characters")
    return value


def first_identifier(candidates: Mapping[str, Any]) -> str:
    """Return the first id that is set and stems from no mistake, from a mapping of field names to values.

    Where all of them stem from a mistake, such as "null", return the first. Raises FieldError if none is set.
    """
    mistaken: str | None = None
    for field, value in candidates.items():
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise FieldError(field, "must be a text or a number")
        found = id_text(value)
        if len(found) > NAME_LIMIT:
            raise FieldError(field, f"must have at most {NAME_LIMIT} characters")
        if not is_of_nobody(found):
            return found
        mistaken = mistaken or found
    if mistaken is not None:
        return mistaken
    names = list(candidates)
    raise FieldError(names[0], f"is missing ({' or '.join(names[1:])} will do)" if names[1:] else "is missing")


def with_defaults(properties: Mapping[str, Any] | None, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sender's properties, plus the non-empty defaults under names that the sender does not use."""
    known = {name: value for name, value in defaults.items() if value not in (None, "", {}, [])}
    return {**known, **(properties or {})}
