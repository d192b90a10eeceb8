"""Helpers for all log formats: field lookup, and ids for records that come without one."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

import msgspec

from integrations.inbound.reading.batches import decode_strictly
from integrations.inbound.reading.body import without_nul
from integrations.inbound.reading.bounds import NAME_LIMIT as NAME_LIMIT
from integrations.inbound.reading.bounds import TEXT_LIMIT as TEXT_LIMIT
from integrations.inbound.reading.bounds import bounded_attributes as bounded_attributes
from integrations.inbound.reading.bounds import clipped as clipped
from integrations.inbound.reading.line_times import arriving
from integrations.inbound.reading.records import FieldError, PayloadError
from integrations.inbound.reading.times import Zoneless, check_time, parse_seconds, parse_time

Shape = TypeVar("Shape")

UNKNOWN_SERVICE = "unknown_service"


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


def time_said(
    document: Mapping[str, object], *names: str, now: float, zoneless: Zoneless | None = None
) -> float | None:
    """Return the first of these fields that is a plausible time, or None if none is. Raises FieldError.

    Loggers use the same names for other things: how long it took, or when something is due. So what is no time is
    passed over. It is an error in `@timestamp`, which has one meaning, and so is a time in the future that no other
    field corrects.
    """
    fault: FieldError | None = None
    for name in names:
        value = field(document, name)
        if value is None:
            continue
        has_one_meaning = name == "@timestamp"
        try:
            seconds = parse_seconds(value, now=now, field=name, zoneless=zoneless or arriving(now))
            has_one_meaning = has_one_meaning or seconds > now
            return check_time(seconds, now=now, field=name)
        except FieldError as error:
            fault = fault or (error if has_one_meaning else None)
    if fault is not None:
        raise fault
    return None


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
