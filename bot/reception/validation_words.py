"""pydantic's messages in plain words: "Input should be a valid integer, …" becomes "must be a whole number"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

_OWN = frozenset({"value_error", "assertion_error"})
"""The types of the messages that we wrote ourselves; pydantic only puts a prefix before them."""

_A_TIME = "must be a time, such as 2026-02-07T12:00:00Z"

_FAMILIES = (
    (("datetime", "date_", "time_", "timezone"), _A_TIME),
    (("int_", "decimal", "float_", "finite"), "must be a number"),
    (("bool_",), "must be true or false"),
    (("string", "bytes"), "must be a text"),
    (("dict", "model", "dataclass", "mapping"), "must be an object"),
    (("list", "tuple", "set_", "frozen_set", "iterable"), "must be a list"),
    (("url",), "must be an address, such as https://example.com/path"),
)
"""The words for the types that _WORDS does not name, by how they begin."""

_ANY_OTHER = "is not of the form that is wanted here"

_WORDS = {
    "missing": "is required, and missing",
    "extra_forbidden": "is an extra field, which is not permitted here; leave it out, or look at its spelling",
    "string_type": "must be a text",
    "string_pattern_mismatch": "is not written in the form that is wanted here",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "string_too_short": "must have at least {min_length} {characters}",
    "string_too_long": "must have at most {max_length} {characters}",
    "too_short": "must have at least {min_length} {entries}",
    "too_long": "must have at most {max_length} {entries}",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be greater than or equal to {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be less than or equal to {le}",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "timezone_aware": "must be a time with its zone, such as 2026-02-07T12:00:00Z",
}


def plain(problem: Mapping[str, Any]) -> str:
    """Return what is wrong as the end of a sentence that begins with the field's name. No pattern is ever shown."""
    kind = str(problem["type"])
    if kind in _OWN:
        return str(problem["msg"]).partition(", ")[2]
    words = _WORDS.get(kind) or next((said for starts, said in _FAMILIES if kind.startswith(starts)), _ANY_OTHER)
    context = dict(problem.get("ctx") or {})
    count = context.get("min_length", context.get("max_length"))
    context = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
    units = {"characters": "character" if count == 1 else "characters", "entries": "entry" if count == 1 else "entries"}
    return words.format(**{**context, **units})


def setting_errors(error: ValidationError) -> list[str]:
    """Return a line for each wrong setting, such as "ARGUX_PORT: must be a whole number"."""
    return [f"{'.'.join(map(str, each['loc'])).upper()}: {plain(each)}" for each in error.errors()]
