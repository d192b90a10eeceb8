"""Read whose a Mixpanel event is, and which other id it tells of that person.

With simplified id merge every event has `$device_id`, and `$user_id` once somebody is known; a visitor's distinct_id is
"$device:" and the device's id. With original id merge the events $identify, $create_alias and $merge link ids:
https://docs.mixpanel.com/docs/tracking-methods/id-management
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detection.types import AlsoKnownAs
from integrations.inbound.product.identities import merged, signed_in, told_by
from integrations.inbound.product.shared_fields import first_identifier
from integrations.inbound.reading.records import FieldError

TELLS_IDS = frozenset({"$identify", "$create_alias", "$merge"})
"""Events that only say which ids are one person's. They may come without a time."""

_DEVICE = "$device:"
_IDS = ("distinct_id", "$user_id", "$device_id", "$identified_id", "$anon_distinct_id", "$anon_id", "alias")


def person(event: str, properties: Mapping[str, Any]) -> tuple[str, AlsoKnownAs | None]:
    """Return the id of the person and what the event tells of another one. Raises FieldError.

    A device has one id here, written with and without "$device:".
    """
    if event == "$merge":
        return _merge(properties.get("$distinct_ids"))
    ids = {name: _bare(properties.get(name)) for name in _IDS}
    if event == "$identify":
        user_id = _first(ids, "$identified_id", "distinct_id", "$user_id")
    elif ids.get("$user_id") and ids.get("$device_id"):
        user_id = _first(ids, "$user_id", "distinct_id", "$device_id")
    else:
        user_id = _first(ids, "distinct_id", "$user_id", "$device_id")
    told = told_by(event, user_id, ids)
    if told is None and ids.get("$user_id"):
        told = signed_in(user_id, ids.get("$device_id"))
    return user_id, told


def _merge(ids: object) -> tuple[str, AlsoKnownAs | None]:
    field = "properties.$distinct_ids"
    if not isinstance(ids, list) or len(ids) != 2:
        raise FieldError(field, "must be an array of two ids")
    first, second = (first_identifier({f"{field}[{index}]": _bare(one)}) for index, one in enumerate(ids))
    return first, merged(first, second)


def _first(ids: Mapping[str, Any], *names: str) -> str:
    return first_identifier({f"properties.{name}": ids.get(name) for name in names})


def bare_id(identifier: str) -> str:
    """Return the id under which the events of a person or a device are stored."""
    return identifier.removeprefix(_DEVICE)


def _bare(value: Any) -> Any:
    return bare_id(value) if isinstance(value, str) else value
