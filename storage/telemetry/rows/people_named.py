"""Find the people that a record's attributes name. Erasing a person uses this in the hot store and in the archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from storage.telemetry.rows.texts import encode

NAMES_OF_PEOPLE = frozenset(
    {"user_id", "user.id", "enduser.id", "distinct_id", "userId", "usr.id", "user.email", "user.name", "user"}
)
"""Attributes of log records and metrics that name a person: those of the semantic conventions and of the doors."""


def people_named(attributes: Any, name: str = "") -> Iterable[str]:
    """Yield every value, at any depth, whose attribute name is in NAMES_OF_PEOPLE. name: the name of `attributes`."""
    if isinstance(attributes, dict):
        for inner, value in attributes.items():
            yield from people_named(value, f"user.{inner}" if name == "user" else inner)
    elif isinstance(attributes, list):
        for value in attributes:
            yield from people_named(value, name)
    elif name in NAMES_OF_PEOPLE:
        yield str(attributes)


def names_person(attributes: Mapping[str, Any]) -> bool:
    """Tell whether the attributes of a record name a person."""
    return any(True for _ in people_named(attributes))


def json_text_of_id(user_id: str) -> str:
    """Return the id as it appears in the JSON text of attributes, without quotes, because numbers have none."""
    return encode({"id": user_id})[len('{"id":"') : -len('"}')]
