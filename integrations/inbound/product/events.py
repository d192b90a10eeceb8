"""Read product events as JSON: one object, an array, or one object per line (NDJSON)."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import msgspec

from detection.types import AlsoKnownAs, Event
from integrations.inbound.product.identities import signed_in, told_by
from integrations.inbound.reading.batches import Text, array_elements, read_each, read_one, split_lines
from integrations.inbound.reading.body import decoded, without_nul
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection
from integrations.inbound.reading.times import parse_time

NAME_LIMIT = 200


class RawEvent(msgspec.Struct, gc=False):
    """An event as sent. User and time may be at the top level or in the properties, the id only at the top level.

    anonymous_id: the id of the visitor or device, which the user may have beside their own.
    """

    event: str
    properties: dict[str, Any] | None = None
    event_id: str | int | None = None
    uuid: str | int | None = None
    insert_id: str | int | None = None
    user_id: str | int | None = None
    distinct_id: str | int | None = None
    anonymous_id: Any = None
    timestamp: str | int | float | None = None


_ONE = msgspec.json.Decoder(RawEvent)
_MANY = msgspec.json.Decoder(list[RawEvent])
_CANONICAL = msgspec.json.Encoder(order="deterministic")


def parse_events(
    body: bytes, *, content_type: str = "", content_encoding: str = "", now: float, max_decoded_bytes: int
) -> Parsed[Event]:
    """Read a batch of events; `now` is seconds since the epoch and bounds their times.

    A rejection's field is a path in the batch ("[1].properties.timestamp") or in the single object.
    Raises PayloadError if the whole body cannot be read.
    """
    text = without_nul(decoded(body, content_encoding, max_decoded_bytes)).strip()
    if not text:
        raise PayloadError("it is empty")
    if text.startswith(b"["):
        return read_array(text, now=now)
    if _is_lines(text, content_type):
        return read_each(split_lines(text), partial(_read, now=now))
    if not text.startswith(b"{"):
        raise PayloadError(f"it is {_kind(text)}; send an event (an object), an array of events, or NDJSON")
    return read_one(text, partial(_read, now=now))


def read_array(text: bytes, *, now: float, prefix: str = "", default_time: float | None = None) -> Parsed[Event]:
    """Read a JSON array in one step if every element has the right shape, else element by element."""
    try:
        raws = _MANY.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_each(array_elements(text), partial(_read, now=now, default_time=default_time), prefix=prefix)
    return from_raw(raws, now=now, prefix=prefix, default_time=default_time)


def _read(text: Text, *, now: float, default_time: float | None = None) -> Event:
    return to_event(_ONE.decode(text), now=now, default_time=default_time)


def from_raw(raws: list[RawEvent], *, now: float, prefix: str = "", default_time: float | None = None) -> Parsed[Event]:
    """Convert decoded events to records. `default_time` replaces a missing timestamp if the door allows it."""
    parsed: Parsed[Event] = Parsed()
    for index, raw in enumerate(raws):
        try:
            parsed.records.append(to_event(raw, now=now, default_time=default_time))
        except FieldError as error:
            parsed.rejections.append(Rejection(index, f"{prefix}[{index}].{error.field}", error.message))
    return parsed


def to_event(raw: RawEvent, *, now: float, default_time: float | None = None) -> Event:
    """Convert one decoded event to a record. Raises FieldError."""
    properties = raw.properties if raw.properties is not None else {}
    if not raw.event or len(raw.event) > NAME_LIMIT:
        raise FieldError("event", f"must have 1 to {NAME_LIMIT} characters")
    user_id = _user_id(raw, properties)
    return Event(
        _event_id(raw, properties),
        raw.event,
        user_id,
        _time(raw, properties, now, default_time),
        properties,
        _also_known_as(raw, user_id, properties),
    )


def _also_known_as(raw: RawEvent, user_id: str, properties: dict[str, Any]) -> AlsoKnownAs | None:
    told = told_by(raw.event, user_id, properties) if raw.event.startswith("$") else None
    visitor = properties.get("anonymous_id") if raw.anonymous_id is None else raw.anonymous_id
    return told if told or visitor is None else signed_in(user_id, visitor)


def _user_id(raw: RawEvent, properties: dict[str, Any]) -> str:
    """Return the user id. The top level comes first, because a property of the same name may mean another user."""
    given = (raw.user_id, raw.distinct_id, properties.get("user_id"), properties.get("distinct_id"))
    for found in (*given, raw.anonymous_id, properties.get("anonymous_id")):
        if found is not None:
            break
    else:
        raise FieldError("properties.user_id", "is missing (distinct_id or anonymous_id will do)")
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise FieldError("properties.user_id", "must be a text or a whole number")
    user_id = str(found)
    if not 1 <= len(user_id) <= NAME_LIMIT:
        raise FieldError("properties.user_id", f"must have 1 to {NAME_LIMIT} characters")
    return user_id


def _time(raw: RawEvent, properties: dict[str, Any], now: float, default_time: float | None) -> float:
    if raw.timestamp is not None:
        return parse_time(raw.timestamp, now=now, field="timestamp")
    value = properties.get("timestamp")
    if value is not None:
        return parse_time(value, now=now, field="properties.timestamp")
    if default_time is None:
        raise FieldError("properties.timestamp", "is missing")
    return default_time


def _event_id(raw: RawEvent, properties: dict[str, Any]) -> str:
    """Return the sender's id, else a digest of the content, so that a repeated delivery gives the same id."""
    for name in ("event_id", "uuid", "insert_id"):
        given = getattr(raw, name)
        if given is not None and given != "":
            if len(str(given)) > NAME_LIMIT:
                raise FieldError(name, f"must have at most {NAME_LIMIT} characters")
            return str(given)
    content = _CANONICAL.encode([raw.event, raw.user_id, raw.distinct_id, raw.timestamp, properties])
    if raw.anonymous_id is not None:
        content += _CANONICAL.encode(raw.anonymous_id)
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _is_lines(text: bytes, content_type: str) -> bool:
    """Whether the body is NDJSON: the content type says so, or the first of several lines is a complete object."""
    if "ndjson" in content_type or "jsonl" in content_type or "json-lines" in content_type:
        return True
    first, newline, _ = text.partition(b"\n")
    return bool(newline) and first.rstrip().endswith(b"}") and _is_object(first)


def _kind(text: bytes) -> str:
    """Describe a body that is neither an object nor an array."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "not JSON"
    return "a text" if isinstance(found, str) else bytes(text[:20]).decode()


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(text), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
