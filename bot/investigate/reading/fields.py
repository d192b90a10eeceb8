"""Read fields of one object of an export, whose names differ from tool to tool."""

from __future__ import annotations

import math
from collections.abc import Mapping

from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import parse_time

LONGEST_NAME = 200
FAR_FUTURE = 32_503_680_000.0
"""The year 3000: exports are read whenever they are from."""


def text(item: Mapping[str, object], *names: str) -> str | None:
    """Return the first of these fields that holds a text or a number, as text; None without one."""
    for name in names:
        value = item.get(name)
        if isinstance(value, str):
            if value.strip():
                return value.replace("\x00", "").strip()
        elif isinstance(value, bool):
            return "true" if value else "false"
        elif isinstance(value, (int, float)):
            return str(value)
    return None


def name(item: Mapping[str, object], *names: str) -> str:
    """Return a required text. Raises FieldError."""
    found = text(item, *names)
    if found is None:
        raise FieldError(names[0], "is missing")
    return found[:LONGEST_NAME]


def number(item: Mapping[str, object], *names: str) -> float | None:
    """Return the first of these fields that holds a finite number, also as text like "+610", "5%" or "1,200"."""
    for field in names:
        value = item.get(field)
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, float) and math.isfinite(value):
            return value
        try:
            found = float(str(value).replace(",", "").replace("%", "").lstrip("+").strip())
        except ValueError:
            continue
        if math.isfinite(found):
            return found
    return None


def moment(item: Mapping[str, object], *names: str) -> float | None:
    """Return the first of these fields as seconds UTC; None without one. Raises FieldError for what is no time."""
    for field in names:
        value = item.get(field)
        if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
            return parse_time(value, now=FAR_FUTURE, field=field)
    return None


def required_moment(item: Mapping[str, object], *names: str) -> float:
    """Return a required time. Raises FieldError."""
    found = moment(item, *names)
    if found is None:
        raise FieldError(names[0], "is missing")
    return found


def texts(item: Mapping[str, object], *names: str) -> tuple[str, ...]:
    """Return the texts of the first of these fields that is a list; () without one."""
    for field in names:
        value = item.get(field)
        if isinstance(value, list):
            return tuple(str(part) for part in value if isinstance(part, (str, int, float)))
    return ()
