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
from integrations.inbound.reading.digests import digest_within_sender
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError
from integrations.inbound.reading.times import parse_time

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


class _Message(msgspec.Struct, rename="camel"):
    type: str | None = None
    event: str | None = None
    user_id: Identifier = None
    anonymous_id: Identifier = None
    previous_id: Identifier = None
    group_id: Identifier = None
    message_id: str | None = None
    timestamp: str | int | float | None = None
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
    if call is not None:
        return Messages(outer.write_key, read_one(text, partial(_read, call=call, now=now)))
    batch = array_elements(array, "batch")
    return Messages(outer.write_key, read_each(batch, partial(_read, call=None, now=now), prefix="batch"))


def _read(text: Text, *, call: str | None, now: float) -> Event:
    """Read one message. Without a time, its time is `now`, as in Segment. Raises FieldError."""
    message = _MESSAGE.decode(text)
    call = call or message.type
    if call not in CALLS:
        raise FieldError("type", f"must be one of {', '.join(CALLS)}")
    user_id = first_identifier({"userId": message.user_id, "anonymousId": message.anonymous_id})
    return Event(
        event_id=_event_id(message, text),
        event=event_name(message.event, "event") if call == "track" else call,
        user_id=user_id,
        happened_at=now if message.timestamp is None else parse_time(message.timestamp, now=now, field="timestamp"),
        properties=_properties(message, call),
        also_known_as=_also_known_as(message, call, user_id),
    )


def _also_known_as(message: _Message, call: str, user_id: str) -> AlsoKnownAs | None:
    """Return the visitor that the libraries put beside a known user, or what an alias merges."""
    if call == "alias" and message.previous_id is not None:
        return merged(user_id, message.previous_id)
    return None if message.user_id in (None, "") else signed_in(user_id, message.anonymous_id)


def _event_id(message: _Message, text: Text) -> str:
    """Return the library's own id, else a digest of the message as sent."""
    return (
        event_name(message.message_id, "messageId")
        if message.message_id
        else digest_within_sender(bytes(text).decode())
    )


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
