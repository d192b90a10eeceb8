"""Read product events as JSON: one object, an array, or one object per line (NDJSON)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from detection.types import AlsoKnownAs, Event
from integrations.inbound.product.identities import signed_in, told_by
from integrations.inbound.reading.batches import Text, array_elements, read_each, read_one, split_lines
from integrations.inbound.reading.body import decoded, without_nul
from integrations.inbound.reading.clocks import SenderClock, clock_of, is_unset, moment_ago
from integrations.inbound.reading.digests import RecordIds
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection
from integrations.inbound.reading.senders_ids import id_text, is_of_nobody, record_id

NAME_LIMIT = 200


class RawEvent(msgspec.Struct, gc=False):
    """An event as sent. User and time may be at the top level or in the properties, the id only at the top level.

    anonymous_id: the id of the visitor or device, which the user may have beside their own. offset: how many
    milliseconds before the sending it happened. sent_at, sentAt: when it was sent, by the sender's clock. A sender may
    use these names for something else, so any value is taken.
    """

    event: str
    properties: dict[str, Any] | None = None
    event_id: str | int | float | None = None
    uuid: str | int | float | None = None
    insert_id: str | int | float | None = None
    user_id: str | int | float | None = None
    distinct_id: str | int | float | None = None
    anonymous_id: Any = None
    timestamp: str | int | float | None = None
    offset: Any = None
    sent_at: Any = None
    sent_at_camel: Any = msgspec.field(default=None, name="sentAt")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is known of the request that events came in.

    clock: the sender's. ids: for events without one. may_lack_time: whether an event without a time is taken; it
    happened when it arrived.
    """

    clock: SenderClock
    ids: RecordIds
    may_lack_time: bool = False


_ONE = msgspec.json.Decoder(RawEvent)
_MANY = msgspec.json.Decoder(list[RawEvent])


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
    arrival = arrived(now)
    if text.startswith(b"["):
        return read_array(text, arrival)
    if _is_lines(text, content_type):
        return read_each(split_lines(text), partial(_read, arrival=arrival))
    if not text.startswith(b"{"):
        raise PayloadError(f"it is {_kind(text)}; send an event (an object), an array of events, or NDJSON")
    return read_one(text, partial(_read, arrival=arrival))


def arrived(now: float, sent_at: Sequence[object] = (), *, may_lack_time: bool = False) -> Arrival:
    """Return the arrival of a request. sent_at: what it says of when it was sent; the first that is a time counts."""
    return Arrival(clock_of(*sent_at, now=now), RecordIds(now), may_lack_time)


def read_array(text: bytes, arrival: Arrival, *, prefix: str = "") -> Parsed[Event]:
    """Read a JSON array in one step if every element has the right shape, else element by element."""
    try:
        raws = _MANY.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return read_each(array_elements(text), partial(_read, arrival=arrival), prefix=prefix)
    return from_raw(raws, arrival, prefix=prefix)


def _read(text: Text, *, arrival: Arrival) -> Event:
    return to_event(_ONE.decode(text), arrival)


def from_raw(raws: list[RawEvent], arrival: Arrival, *, prefix: str = "") -> Parsed[Event]:
    """Convert decoded events to records."""
    parsed: Parsed[Event] = Parsed()
    for index, raw in enumerate(raws):
        try:
            parsed.records.append(to_event(raw, arrival))
        except FieldError as error:
            parsed.rejections.append(Rejection(index, f"{prefix}[{index}].{error.field}", error.message))
    return parsed


def to_event(raw: RawEvent, arrival: Arrival) -> Event:
    """Convert one decoded event to a record. Raises FieldError."""
    properties = raw.properties if raw.properties is not None else {}
    if not raw.event or len(raw.event) > NAME_LIMIT:
        raise FieldError("event", f"must have 1 to {NAME_LIMIT} characters")
    user_id = _user_id(raw, properties)
    return Event(
        _event_id(raw, properties, arrival),
        raw.event,
        user_id,
        _time(raw, properties, arrival),
        properties,
        _also_known_as(raw, user_id, properties),
    )


def _also_known_as(raw: RawEvent, user_id: str, properties: dict[str, Any]) -> AlsoKnownAs | None:
    told = told_by(raw.event, user_id, properties) if raw.event.startswith("$") else None
    visitor = properties.get("anonymous_id") if raw.anonymous_id is None else raw.anonymous_id
    return told if told or visitor is None else signed_in(user_id, visitor)


def _user_id(raw: RawEvent, properties: dict[str, Any]) -> str:
    """Return the user id. The top level comes first, because a property of the same name may mean another user.

    An id that stems from a mistake, such as "null", counts only where there is no other.
    """
    mistaken = ""
    given = (raw.user_id, raw.distinct_id, properties.get("user_id"), properties.get("distinct_id"))
    for found in (*given, raw.anonymous_id, properties.get("anonymous_id"), properties.get("$device_id")):
        if found is None or found == "":
            continue
        if not isinstance(found, str):
            if isinstance(found, bool) or not isinstance(found, int | float):
                raise FieldError("properties.user_id", "must be a text or a whole number")
            found = id_text(found)
        user_id = found
        if len(user_id) > NAME_LIMIT:
            raise FieldError("properties.user_id", f"must have 1 to {NAME_LIMIT} characters")
        if not is_of_nobody(user_id):
            return user_id
        mistaken = mistaken or user_id
    if not mistaken:
        raise FieldError("properties.user_id", "is missing (distinct_id or anonymous_id will do)")
    return mistaken


def _time(raw: RawEvent, properties: dict[str, Any], arrival: Arrival) -> float:
    """Return when the event happened, corrected by the sender's clock."""
    clock = arrival.clock
    if raw.sent_at is not None or raw.sent_at_camel is not None:
        clock = clock_of(raw.sent_at, raw.sent_at_camel, clock.sent_at, now=clock.now)
    if properties.get("$ignore_sent_at") is True:
        clock = SenderClock(clock.now)
    if not is_unset(raw.timestamp):
        return clock.corrected(raw.timestamp, field="timestamp")
    value = properties.get("timestamp")
    if not is_unset(value):
        return clock.corrected(value, field="properties.timestamp")
    happened_at = moment_ago(raw.offset, now=clock.now)
    if happened_at is None and not arrival.may_lack_time:
        raise FieldError("properties.timestamp", "is missing")
    return clock.now if happened_at is None else happened_at


def _event_id(raw: RawEvent, properties: dict[str, Any], arrival: Arrival) -> str:
    """Return the sender's id, else one made of the content."""
    for name in ("event_id", "uuid", "insert_id"):
        given = getattr(raw, name)
        if given is not None and (found := record_id(given, name)) is not None:
            return found
    has_time = not is_unset(raw.timestamp) or not is_unset(properties.get("timestamp"))
    content = [raw.event, raw.user_id, raw.distinct_id, raw.timestamp, properties]
    if raw.anonymous_id is not None:
        content.append(raw.anonymous_id)
    return arrival.ids.of(*content, has_time=has_time)


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
