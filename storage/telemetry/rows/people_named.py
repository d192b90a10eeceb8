"""Find the people that a record's attributes name. Erasing a person uses this in the hot store and in the archive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from storage.telemetry.rows.texts import encode

NAMES_OF_PEOPLE = frozenset(
    {
        "anonymousId",
        "anonymous_id",
        "distinct_id",
        "enduser.id",
        "enduser.pseudo.id",
        "user",
        "user.email",
        "user.id",
        "user.name",
        "userId",
        "user_id",
        "usr.id",
    }
)
"""Attributes of log records and metrics that name a person: those of the semantic conventions and of the doors."""


NAMES_OF_IDS = NAMES_OF_PEOPLE | {"deviceId", "device.id", "device_id", "$device_id"}
"""Attributes that hold an id which may be one of a person's: in the names of devices as well."""


def people_named(attributes: Any, name: str = "", *, names: Set[str] = NAMES_OF_PEOPLE) -> Iterable[str]:
    """Yield every value, at any depth, whose attribute name is in `names`. name: the name of `attributes`."""
    if isinstance(attributes, dict):
        for inner, value in attributes.items():
            yield from people_named(value, f"user.{inner}" if name == "user" else inner, names=names)
    elif isinstance(attributes, list):
        for value in attributes:
            yield from people_named(value, name, names=names)
    elif name in names:
        yield str(attributes)


def names_person(attributes: Mapping[str, Any]) -> bool:
    """Tell whether the attributes of a record name a person."""
    return any(True for _ in people_named(attributes))


def json_text_of_id(user_id: str) -> str:
    """Return the id as it appears in the JSON text of attributes, without quotes, because numbers have none."""
    return encode({"id": user_id})[len('{"id":"') : -len('"}')]
