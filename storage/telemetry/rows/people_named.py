"""Whom a record's attributes name: what forgetting a person looks for in the hot store and in the archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from storage.telemetry.rows.texts import encode

NAMES_OF_PEOPLE = frozenset(
    {"user_id", "user.id", "enduser.id", "distinct_id", "userId", "usr.id", "user.email", "user.name", "user"}
)
"""Attributes of log records and metrics that say whom they are about; the semantic conventions' and the doors' own."""


def people_named(attributes: Any, name: str = "") -> Iterable[str]:
    """Every value, however deep, whose name says that it is a person."""
    if isinstance(attributes, dict):
        for inner, value in attributes.items():
            yield from people_named(value, f"user.{inner}" if name == "user" else inner)
    elif isinstance(attributes, list):
        for value in attributes:
            yield from people_named(value, name)
    elif name in NAMES_OF_PEOPLE:
        yield str(attributes)


def names_person(attributes: Mapping[str, Any]) -> bool:
    """Whether attributes say whom a record is about."""
    return any(True for _ in people_named(attributes))


def json_text_of_id(user_id: str) -> str:
    """The id as it stands in the JSON of attributes, without the quotes: a number has none."""
    return encode({"id": user_id})[len('{"id":"') : -len('"}')]
