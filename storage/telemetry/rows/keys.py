"""Keep API keys out of the store: clients put theirs among the properties that they send.

posthog-js writes its project key into every event as `token`, others `api_key` or `write_key`. A key of Argux is known
by its form wherever it stands, also in the text of a log; the key of another system by the name it stands under.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from detection.types import Event, JsonValue, LogRecord, MetricPoint

REPLACED = "argux_…"

_MARK = "argux_"
_OWN_KEY = re.compile(r"argux_[A-Za-z0-9_-]{43}")
_KEY_NAMES = frozenset(
    {
        "api_key", "apikey", "api-key", "$api_key", "x-api-key", "x_api_key", "dd-api-key", "dd_api_key", "write_key",
        "writekey", "$write_key", "$token", "sentry_key", "project_api_key", "mp_token",
    }
)  # fmt: skip
_TOKEN_NAMES = frozenset({"token", "project_token", "projecttoken"})
"""Names that also hold harmless words, such as the name of a coin; only what looks random is a key."""

_RANDOM = re.compile(r"(?=.*\d)[A-Za-z0-9_.=+/-]{16,}")


def events_without_keys(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events without keys among their properties."""
    if not any(_holds_key(event.properties) for event in events):
        return events
    return [replace(event, properties=_mapping_without(event.properties)) for event in events]


def logs_without_keys(records: Sequence[LogRecord]) -> Sequence[LogRecord]:
    """Return the log records without keys in their attributes, and with Argux's keys replaced in their text."""
    return [
        replace(record, body=_OWN_KEY.sub(REPLACED, record.body), attributes=_mapping_without(record.attributes))
        if _MARK in record.body or _holds_key(record.attributes)
        else record
        for record in records
    ]


def points_without_keys(points: Sequence[MetricPoint]) -> Sequence[MetricPoint]:
    """Return the metric points without keys among their attributes."""
    if not any(_holds_key(point.attributes) for point in points):
        return points
    return [replace(point, attributes=_mapping_without(point.attributes)) for point in points]


def _holds_key(value: object) -> bool:
    if isinstance(value, str):
        return _MARK in value
    if isinstance(value, Mapping):
        return any(_MARK in name or _is_key(name, inner) or _holds_key(inner) for name, inner in value.items())
    return isinstance(value, list) and any(map(_holds_key, value))


def _is_key(name: str, value: object) -> bool:
    """Whether a value is a key by the name it stands under. It is left out, name and all."""
    if not isinstance(value, str) or not value:
        return False
    lower = name.lower()
    return (
        _OWN_KEY.fullmatch(value) is not None
        or lower in _KEY_NAMES
        or (lower in _TOKEN_NAMES and _RANDOM.fullmatch(value) is not None)
    )


def _mapping_without(found: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {_OWN_KEY.sub(REPLACED, name): _without(value) for name, value in found.items() if not _is_key(name, value)}


def _without(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return _OWN_KEY.sub(REPLACED, value)
    if isinstance(value, dict):
        return _mapping_without(value)
    return [_without(item) for item in value] if isinstance(value, list) else value
