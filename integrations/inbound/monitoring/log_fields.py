"""Helpers for all log formats: severity words, field lookup, and ids for records that come without one."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from detection.types import JsonValue
from integrations.inbound.reading.batches import decode_strictly
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.line_times import arriving
from integrations.inbound.reading.records import FieldError, PayloadError
from integrations.inbound.reading.times import Zoneless, parse_time

Shape = TypeVar("Shape")

TEXT_LIMIT = 8_000
NAME_LIMIT = 200
ATTRIBUTES_KEPT = 128
UNKNOWN_SERVICE = "unknown_service"
_MAX_DEPTH = 8

_SEVERITIES: Mapping[str, str] = {
    "trace": "TRACE",
    "verbose": "TRACE",
    "debug": "DEBUG",
    "info": "INFO",
    "information": "INFO",
    "informational": "INFO",
    "notice": "INFO",
    "ok": "INFO",
    "success": "INFO",
    "log": "INFO",
    "warn": "WARN",
    "warning": "WARN",
    "err": "ERROR",
    "error": "ERROR",
    "severe": "ERROR",
    "crit": "FATAL",
    "critical": "FATAL",
    "alert": "FATAL",
    "emerg": "FATAL",
    "emergency": "FATAL",
    "panic": "FATAL",
    "fatal": "FATAL",
}
_SEVERITY_WITHIN = re.compile(r"\b(trace|debug|info|notice|warn|warning|error|severe|critical|panic|fatal)\b", re.I)
_SEVERITY_SEARCH_LENGTH = 200


def severity(word: object, default: str = "INFO") -> str:
    """Map a sender's severity word to OpenTelemetry's: "warning" is WARN, "emerg" is FATAL, unknown words `default`."""
    return _SEVERITIES.get(str(word).strip().lower(), default) if word is not None else default


def severity_within(line: str, default: str = "INFO") -> str:
    """Return the severity from the first level word near the beginning of a plain line."""
    found = _SEVERITY_WITHIN.search(line, 0, _SEVERITY_SEARCH_LENGTH)
    return severity(found.group(1)) if found else default


def clipped(value: object, limit: int = TEXT_LIMIT) -> str:
    """Return text that a relational store can hold: at most `limit` characters, no NUL. Other values become JSON."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[:limit].replace("\x00", "\ufffd")


def field(found: Mapping[str, object], *names: str) -> object:
    """Return the first of these fields that is set and not empty. "log.level" is looked up flat, then nested."""
    for name in names:
        value = found.get(name)
        if value is None and "." in name:
            value = _nested(found, name)
        if value not in (None, ""):
            return value
    return None


def _nested(found: Mapping[str, object], name: str) -> object:
    value: object = found
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return None if isinstance(value, Mapping) else value


def short_text(found: Mapping[str, object], *names: str) -> str | None:
    """Return the first of these fields that is set, as text of at most NAME_LIMIT characters."""
    value = field(found, *names)
    return None if value is None else clipped(value, NAME_LIMIT)


def time_of(found: Mapping[str, object], *names: str, now: float, zoneless: Zoneless | None = None) -> float | None:
    """Return the first of these fields as seconds UTC, or None if all are missing. Raises FieldError if invalid.

    zoneless: what a time without a zone means; without it, UTC, unless that lies in the future.
    """
    for name in names:
        value = field(found, name)
        if value is not None:
            return parse_time(value, now=now, field=name, zoneless=zoneless or arriving(now))
    return None


def bounded_attributes(found: Mapping[str, object], *, without: Iterable[str] = ()) -> dict[str, JsonValue]:
    """Return the fields except `without` as attributes, with limits on their number, text length and nesting depth."""
    left_out = set(without)
    names = [name for name in found if name not in left_out][:ATTRIBUTES_KEPT]
    return {clipped(name, NAME_LIMIT): _bounded(found[name], 0) for name in names}


def _bounded(value: object, depth: int) -> JsonValue:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return clipped(value)
    if depth >= _MAX_DEPTH:
        return None
    if isinstance(value, list):
        return [_bounded(item, depth + 1) for item in value[:ATTRIBUTES_KEPT]]
    if isinstance(value, Mapping):
        pairs = list(value.items())[:ATTRIBUTES_KEPT]
        return {clipped(str(name), NAME_LIMIT): _bounded(item, depth + 1) for name, item in pairs}
    return clipped(str(value))


class Identities:
    """Creates ids for the records of one delivery that come without an id: a digest of door, time and content.

    A repeated delivery gets the same ids, and two equal lines of one delivery stay two records. A record without a time
    gets its time of arrival, so it counts as new at each delivery: a duplicate is better than a lost record.
    """

    def __init__(self, door: str) -> None:
        self._door = door
        self._seen: Counter[str] = Counter()

    def of(self, happened_at: float, *content: str) -> str:
        """Return the id of one record. `content` is everything that distinguishes it from others."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (repr(happened_at), *content):
            encoded = part.encode("utf-8", "replace")
            digest.update(len(encoded).to_bytes(8) + encoded)
        name = f"{self._door}:{digest.hexdigest()}"
        self._seen[name] += 1
        return f"{name}-{self._seen[name]}" if self._seen[name] > 1 else name


def decoded_json(text: bytes, shape: type[Shape]) -> Shape:
    """Decode JSON of the given shape. Raises PayloadError with the invalid field."""
    if not text.strip():
        raise PayloadError("it is empty")
    return decode_strictly(msgspec.json.Decoder(shape), without_nul(text))


def require_object(value: object, path: str = "") -> Mapping[str, object]:
    """Return the value if it is a JSON object. Raises FieldError otherwise."""
    if not isinstance(value, dict):
        raise FieldError(path, "must be an object")
    return value
