"""Read the ids that senders give to records and people, and tell ids from what stands there by mistake.

A template that was not filled in ("%{[id]}"), "null", "undefined" or an id of zeros is what many records have alike: as
the id of a record it would make duplicates of them, as the id of a person it would make one person of many.
"""

from __future__ import annotations

import re

from integrations.inbound.reading.records import FieldError

LONGEST_ID = 200
"""Longer ids are refused."""

_OF_NOBODY = frozenset(
    {
        "$posthog_cookieless",
        "(not set)",
        "(null)",
        "-1",
        "02:00:00:00:00:00",
        "9774d56d682e549c",
        "<nil>",
        "<no value>",
        "<null>",
        "<undefined>",
        "[]",
        "[object object]",
        "anon",
        "anonymous",
        "anonymous_id",
        "anonymousid",
        "default",
        "device_id",
        "deviceid",
        "distinct_id",
        "distinctid",
        "email",
        "false",
        "guest",
        "id",
        "lmy47d",
        "logged_out",
        "message_id",
        "messageid",
        "n/a",
        "na",
        "nan",
        "nil",
        "nobody",
        "none",
        "not_authenticated",
        "null",
        "true",
        "undefined",
        "unknown",
        "user",
        "user_id",
        "userid",
        "uuid",
        "{}",
    }
)
"""In lower case. 9774d56d682e549c and the MAC address are those of many phones; lmy47d is a version of Android."""

_LONGEST_WORD = max(map(len, _OF_NOBODY))
_BEGIN_MISTAKES = ("00", "0.", "0:", "0-", "ff", "FF")
_ZEROS = re.compile(r"0[0.]*|0{2,}(?:[:-]0{2,})+")
"""Of a number, an address or a UUID; `0:0` is a place in a log, and `0-0` one in a stream."""

_HIGHEST = re.compile(r"[fF]{8}-?(?:[fF]{4}-?){3}[fF]{12}")
"""The largest UUID, which RFC 9562 reserves beside the one of zeros."""

_NOT_FILLED_IN = re.compile(r"[%$#]?\{.+\}|<%=.*%>|\$\(.+\)|%\(.+\)s")
_BEGIN_TEMPLATES = "%$#{<"
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_LENGTH = 36
_QUOTES = "\"'` \t\r\n"


def is_of_nobody(identifier: str) -> bool:
    """Whether an id stems from a mistake, and so is shared by people or records that have nothing in common."""
    start = identifier[:2]
    if len(identifier) > _LONGEST_WORD and start.isalnum() and start not in _BEGIN_MISTAKES:
        return False
    bare = identifier.strip(_QUOTES)
    if bare.lower() in _OF_NOBODY or not bare or _ZEROS.fullmatch(bare):
        return True
    if bare[0] in _BEGIN_TEMPLATES:
        return _NOT_FILLED_IN.fullmatch(bare) is not None
    return bare[0] in "fF" and _HIGHEST.fullmatch(bare) is not None


def id_text(value: str | int | float) -> str:
    """Return an id as text. A whole number is the same id with and without a decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def record_id(value: object, field: str) -> str | None:
    """Return the id that a sender gave to a record; None without one, or where a mistake stands in its place.

    A UUID is the same in capitals, as Apple's systems write it.
    Raises FieldError if it is longer than LONGEST_ID.
    """
    if isinstance(value, str):
        text = value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        text = id_text(value)
    else:
        return None
    if len(text) > LONGEST_ID:
        raise FieldError(field, f"must have at most {LONGEST_ID} characters")
    if is_of_nobody(text):
        return None
    return text.lower() if len(text) == _UUID_LENGTH and not text.islower() and _UUID.fullmatch(text) else text
