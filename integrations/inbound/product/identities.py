"""Read which other id an event tells of its person: sign-ins, aliases and merges, as the product libraries send them.

An id that stems from a mistake ("null", "[object Object]", an id of zeros) links nobody: it would make one person of
all who share the mistake. PostHog, Amplitude and Mixpanel refuse such ids as well:
https://posthog.com/docs/product-analytics/identify, https://amplitude.com/docs/data/sources/instrument-track-unique-users
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from detection.types import AlsoKnownAs

LONGEST_ID = 200
"""Longer ids of users are refused, so a longer one is no id that any event has."""

_OF_NOBODY = frozenset(
    {
        "$posthog_cookieless",
        "(not set)",
        "(null)",
        "-1",
        "02:00:00:00:00:00",
        "9774d56d682e549c",
        "<nil>",
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

_ZEROS = re.compile(r"[0.:-]*")
_QUOTES = "\"'` \t\r\n"


def is_of_nobody(identifier: str) -> bool:
    """Whether an id stems from a mistake, and so is shared by people who have nothing to do with each other."""
    bare = identifier.strip(_QUOTES)
    return bare.lower() in _OF_NOBODY or _ZEROS.fullmatch(bare) is not None


def signed_in(user_id: str, visitor: object) -> AlsoKnownAs | None:
    """Return that a known user has the id of this visitor or device; None where that says nothing."""
    return _known_as(user_id, visitor, is_merge=False)


def merged(user_id: str, other: object) -> AlsoKnownAs | None:
    """Return that somebody said that two ids are one person; None where that says nothing."""
    return _known_as(user_id, other, is_merge=True)


def told_by(event: str, user_id: str, properties: Mapping[str, Any]) -> AlsoKnownAs | None:
    """Return what the special events of PostHog and Mixpanel tell; None for any other event.

    $groupidentify is of an organisation and links nobody.
    """
    if event == "$identify":
        return signed_in(user_id, properties.get("$anon_distinct_id") or properties.get("$anon_id"))
    if event in ("$create_alias", "$merge_dangerously"):
        return merged(user_id, properties.get("alias"))
    return None


def _known_as(user_id: str, other: object, *, is_merge: bool) -> AlsoKnownAs | None:
    if isinstance(other, bool) or not isinstance(other, str | int | float):
        return None
    other_id = str(other)
    if other_id == user_id or len(other_id) > LONGEST_ID or is_of_nobody(other_id) or is_of_nobody(user_id):
        return None
    return AlsoKnownAs(other_id, is_merge)
