"""Give PostHog's visitors without cookies an id each: the library sends the same one for all of them.

As in PostHog, a visitor is one for a day on one site, and becomes the user who signs in:
https://posthog.com/docs/privacy/cookieless-tracking
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from detection.types import Event
from integrations.inbound.product.identities import signed_in
from integrations.inbound.reading.digests import digest

_NO_COOKIE = frozenset({"$posthog_cookieless", "$sentinel_cookieless_server_hash"})


def with_visitor(event: Event, visitor: str) -> Event:
    """Return the event with an id of its visitor where the library has none. visitor: who sent it; "" if unknown."""
    if not visitor:
        return event
    if event.user_id in _NO_COOKIE:
        return replace(event, user_id=_id(event, visitor))
    if event.event == "$identify" and event.properties.get("$anon_distinct_id") in _NO_COOKIE:
        return replace(event, also_known_as=signed_in(event.user_id, _id(event, visitor)))
    return event


def _id(event: Event, visitor: str) -> str:
    day = datetime.fromtimestamp(event.happened_at, UTC).date().isoformat()
    return f"cookieless_{digest(visitor, day, event.properties.get('$host'))}"
