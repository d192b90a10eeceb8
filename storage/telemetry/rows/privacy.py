"""Hide personal data in events, log records and metric points before they are stored.

Spans do not pass through here: they have no free attributes, and their SQL statements are stored without literals
(storage.telemetry.rows.records).

A hidden value is replaced by a keyed digest (HMAC-SHA256, RFC 2104). The same value always has the same digest, so
people can still be told apart and counted. Without the key nobody can find out who they are, not even by hashing a list
of known addresses.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from detection.types import AlsoKnownAs, Event, JsonValue, LogRecord, MetricPoint

PREFIX = "hidden:"
WHO = frozenset(
    {
        "$anon_distinct_id",
        "$anon_id",
        "$device_id",
        "$distinct_id",
        "$distinct_ids",
        "$identified_id",
        "$user_id",
        "anonymous_id",
        "anonymousid",
        "distinct_id",
        "enduser.id",
        "enduser.pseudo.id",
        "user.id",
        "user_id",
        "userid",
    }
)
"""Property names that identify the user, in lower case. Hiding one of them hides all of them."""

_DIGITS = 32
_HIDDEN = re.compile(rf"{PREFIX}[0-9a-f]{{{_DIGITS}}}")


class Privacy:
    """Hides or drops properties by name, ignoring case, at any depth.

    names: the properties. key: the secret of the digests; ValueError if there are names and no key. drop: whether to
    drop properties instead of hiding them. If a name of WHO is among the names, user ids are stored as digests, also
    with drop: an event must belong to a user.
    """

    def __init__(self, names: Iterable[str] = (), *, key: bytes = b"", drop: bool = False) -> None:
        named = frozenset(name.lower() for name in names)
        self._hides_users = bool(named & WHO)
        self._names = named | WHO if self._hides_users else named
        self._key = key
        self._drop = drop
        if named and not key:
            raise ValueError("personal data cannot be hidden without a key")

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events with personal data hidden."""
        if not self._names:
            return events
        return [self._event(event) for event in events]

    def logs(self, records: Sequence[LogRecord]) -> Sequence[LogRecord]:
        """Return the log records with personal data in their attributes hidden; the line's text is not changed."""
        if not self._names:
            return records
        return [replace(record, attributes=self._hidden(record.attributes)) for record in records]

    def metric_points(self, points: Sequence[MetricPoint]) -> Sequence[MetricPoint]:
        """Return the points with personal data in their attributes hidden."""
        if not self._names:
            return points
        return [replace(point, attributes=self._hidden(point.attributes)) for point in points]

    def user_id(self, user_id: str) -> str:
        """Return the id under which a user is stored."""
        return self._digest(user_id) if self._hides_users else user_id

    def _event(self, event: Event) -> Event:
        properties, known = self._hidden(event.properties), event.also_known_as
        if known is not None and self._hides_users:
            # Senders write the other id under names of many kinds, such as `alias`.
            other = self._digest(known.other_id)
            properties = {name: other if value == known.other_id else value for name, value in properties.items()}
            known = AlsoKnownAs(other, known.is_merge)
        return replace(event, user_id=self.user_id(event.user_id), properties=properties, also_known_as=known)

    def _hidden(self, properties: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for name, value in properties.items():
            lower = name.lower()
            if lower not in self._names:
                found[name] = self._within(value)
            elif value is None or lower in WHO or not self._drop:
                found[name] = None if value is None else self._digest(value)
        return found

    def _within(self, value: JsonValue) -> JsonValue:
        if isinstance(value, dict):
            return self._hidden(value)
        if isinstance(value, list):
            return [self._within(item) for item in value]
        return value

    def _digest(self, value: JsonValue) -> str:
        """Return the digest of a text, or of the JSON of any other value. A value already hidden is returned as is."""
        if isinstance(value, str) and _HIDDEN.fullmatch(value):
            return value
        text = value.encode("utf-8", "replace") if isinstance(value, str) else msgspec.json.encode(value)
        return PREFIX + hmac.new(self._key, text, hashlib.sha256).hexdigest()[:_DIGITS]
