"""Read product events that Segment's client libraries post to /v1/batch, /v1/track, /v1/identify, /v1/page and so on.

The shapes: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from detection.types import AlsoKnownAs, Event
from integrations.inbound.product.identities import merged, signed_in
from integrations.inbound.product.shared_fields import Identifier, event_name, first_identifier, with_defaults
from integrations.inbound.reading.batches import Text, array_elements, read_each, read_one, split_envelope
from integrations.inbound.reading.body import decoded, without_nul
from integrations.inbound.reading.clocks import SenderClock, clock_of, is_unset
from integrations.inbound.reading.digests import RecordIds
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError
from integrations.inbound.reading.senders_ids import record_id

CALLS = ("identify", "track", "page", "screen", "group", "alias")
"""The types of messages. A track is stored under its event's name, the others under the name of their type."""


@dataclass(frozen=True, slots=True)
class Messages:
    """A body that was read. `write_key` is set if it is in the body instead of the Authorization header."""

    write_key: str | None
    events: Parsed[Event]


class _Envelope(msgspec.Struct, rename="camel"):
    write_key: str | None = None
    batch: msgspec.Raw = msgspec.Raw()
    sent_at: Any = None


class _Message(msgspec.Struct, rename="camel"):
    type: str | None = None
    event: str | None = None
    user_id: Identifier = None
    anonymous_id: Identifier = None
    previous_id: Identifier = None
    group_id: Identifier = None
    message_id: Identifier = None
    timestamp: str | int | float | None = None
    original_timestamp: Any = None
    received_at: Any = None
    sent_at: Any = None
    name: str | None = None
    category: str | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: dict[str, Any] | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_MESSAGE = msgspec.json.Decoder(_Message)


def parse_messages(
    body: bytes, *, call: str | None = None, content_encoding: str = "", now: float, max_decoded_bytes: int
) -> Messages:
    """Read a batch, or one message if the URL names its type (`call`). Raises PayloadError."""
    text = without_nul(decoded(body, content_encoding, max_decoded_bytes)).strip()
    if not text:
        raise PayloadError("it is empty")
    outer, array = split_envelope(_ENVELOPE, text, "batch")
    read = partial(_read, call=call, clock=clock_of(outer.sent_at, now=now), ids=RecordIds(now))
    if call is not None:
        return Messages(outer.write_key, read_one(text, read))
    return Messages(outer.write_key, read_each(array_elements(array, "batch"), read, prefix="batch"))


def _read(text: Text, *, call: str | None, clock: SenderClock, ids: RecordIds) -> Event:
    """Read one message. Raises FieldError."""
    message = _MESSAGE.decode(text)
    call = call or message.type
    if call not in CALLS:
        raise FieldError("type", f"must be one of {', '.join(CALLS)}")
    user_id = first_identifier({"userId": message.user_id, "anonymousId": message.anonymous_id})
    return Event(
        event_id=_event_id(message, text, ids),
        event=event_name(message.event, "event") if call == "track" else call,
        user_id=user_id,
        happened_at=_time(message, clock),
        properties=_properties(message, call),
        also_known_as=_also_known_as(message, call, user_id),
    )


def _also_known_as(message: _Message, call: str, user_id: str) -> AlsoKnownAs | None:
    """Return the visitor that the libraries put beside a known user, or what an alias merges."""
    if call == "alias" and message.previous_id is not None:
        return merged(user_id, message.previous_id)
    return None if message.user_id in (None, "") else signed_in(user_id, message.anonymous_id)


def _time(message: _Message, clock: SenderClock) -> float:
    """Return when it happened, corrected by the sender's clock. Without a time, that is when it arrived, as in Segment.

    A message that Segment hands on has `receivedAt`, and its `timestamp` is corrected already; `originalTimestamp` is
    what the clock showed: https://segment.com/docs/connections/spec/common/#timestamps. RudderStack's clients send
    `originalTimestamp` alone. Raises FieldError.
    """
    if message.sent_at is not None:
        clock = clock_of(message.sent_at, clock.sent_at, now=clock.now)
    if not is_unset(message.timestamp):
        if message.received_at is not None and message.original_timestamp is not None:
            clock = SenderClock(clock.now)
        return clock.corrected(message.timestamp, field="timestamp")
    if not is_unset(message.original_timestamp):
        return clock.corrected(message.original_timestamp, field="originalTimestamp")
    return clock.now


def _event_id(message: _Message, text: Text, ids: RecordIds) -> str:
    """Return the library's own id, else one made of the message as sent, without what changes when it is sent again."""
    given = record_id(message.message_id, "messageId")
    if given is not None:
        return given
    has_time = not is_unset(message.timestamp) or not is_unset(message.original_timestamp)
    if message.sent_at is None:
        return ids.of(bytes(text).decode(), has_time=has_time)
    content = {name: value for name, value in msgspec.json.decode(text).items() if name != "sentAt"}
    return ids.of(content, has_time=has_time)


def _properties(message: _Message, call: str) -> dict[str, Any]:
    """Return the sender's properties, plus the fields of the context by which funnels are usually broken down."""
    context = message.context or {}
    own = message.traits if call in ("identify", "group") else message.properties
    return with_defaults(
        own,
        {
            "name": message.name,
            "category": message.category,
            "group_id": message.group_id,
            "previous_id": message.previous_id,
            "country": _nested_value(context, "location", "country"),
            "device": _nested_value(context, "device", "type"),
            "os": _nested_value(context, "os", "name"),
            "version": _nested_value(context, "app", "version"),
            "locale": context.get("locale"),
            "path": _nested_value(context, "page", "path"),
        },
    )


def _nested_value(context: dict[str, Any], part: str, name: str) -> Any:
    found = context.get(part)
    return found.get(name) if isinstance(found, dict) else None
