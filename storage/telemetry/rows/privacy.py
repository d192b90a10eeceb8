"""Personal data is hidden here, in the one place that every record passes on its way into the store.

A hidden value is a keyed digest (HMAC-SHA256, RFC 2104): the same value has the same digest, so people can still be
told apart and counted, but without the key nobody can tell who they are, not even by trying out all the addresses they
know.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import msgspec

from detection.types import Event, JsonValue, LogRecord, MetricPoint

PREFIX = "hidden:"
WHO = frozenset({"user_id", "userid", "user.id", "enduser.id", "distinct_id", "$user_id", "$distinct_id"})
"""Names under which senders say who did it, in lower case. Naming one of them names all."""

_DIGITS = 32
_HIDDEN = re.compile(rf"{PREFIX}[0-9a-f]{{{_DIGITS}}}")


class Privacy:
    """Hides or drops properties by name, in any spelling of capitals and at any depth.

    Where the names of WHO are among them, users are stored under a digest, too, even where other properties are
    dropped: an event belongs to somebody. Raises ValueError where there are names and no key.
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
        """The events, hidden."""
        if not self._names:
            return events
        return [
            replace(event, user_id=self.user_id(event.user_id), properties=self._hidden(event.properties))
            for event in events
        ]

    def logs(self, records: Sequence[LogRecord]) -> Sequence[LogRecord]:
        """The log records, their attributes hidden; what a line says is left as it is."""
        if not self._names:
            return records
        return [replace(record, attributes=self._hidden(record.attributes)) for record in records]

    def metric_points(self, points: Sequence[MetricPoint]) -> Sequence[MetricPoint]:
        """The points, their attributes hidden."""
        if not self._names:
            return points
        return [replace(point, attributes=self._hidden(point.attributes)) for point in points]

    def user_id(self, user_id: str) -> str:
        """Under which id a person is stored."""
        return self._digest(user_id) if self._hides_users else user_id

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
        """Of text as it is, of anything else as JSON; what is hidden already stays as it is."""
        if isinstance(value, str) and _HIDDEN.fullmatch(value):
            return value
        text = value.encode("utf-8", "replace") if isinstance(value, str) else msgspec.json.encode(value)
        return PREFIX + hmac.new(self._key, text, hashlib.sha256).hexdigest()[:_DIGITS]
