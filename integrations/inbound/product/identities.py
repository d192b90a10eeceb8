"""Read which other id an event tells of its person: sign-ins, aliases and merges, as the product libraries send them.

An id that stems from a mistake ("null", "[object Object]", an id of zeros) links nobody: it would make one person of
all who share the mistake. PostHog, Amplitude and Mixpanel refuse such ids as well:
https://posthog.com/docs/product-analytics/identify, https://amplitude.com/docs/data/sources/instrument-track-unique-users
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detection.types import AlsoKnownAs
from integrations.inbound.reading.senders_ids import LONGEST_ID, id_text, is_of_nobody


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
    other_id = id_text(other)
    if other_id == user_id or len(other_id) > LONGEST_ID or is_of_nobody(other_id) or is_of_nobody(user_id):
        return None
    return AlsoKnownAs(other_id, is_merge)
