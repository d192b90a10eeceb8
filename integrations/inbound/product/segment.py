"""Product events as Segment's client libraries post them: /v1/batch, /v1/track, /v1/identify, /v1/page and the like.

The shapes: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from detection.types import Event
from integrations.inbound.product.shared_fields import Identifier, event_name, first_identifier, with_defaults
from integrations.inbound.reading.batches import Text, elements, envelope, read_each, read_one
from integrations.inbound.reading.body import decoded, without_nul
from integrations.inbound.reading.digests import digest
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError
from integrations.inbound.reading.times import moment

CALLS = ("identify", "track", "page", "screen", "group", "alias")
"""What a message may be. A track is stored under its event's name, the others under their own."""


@dataclass(frozen=True, slots=True)
class Messages:
    """A body as read; `write_key` where it stands in the body and not in the Authorization header."""

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
    """Read a batch, or one message where `call` says which kind the address stands for. Raises PayloadError."""
    text = without_nul(decoded(body, content_encoding, max_decoded_bytes)).strip()
    if not text:
        raise PayloadError("it is empty")
    outer, array = envelope(_ENVELOPE, text, "batch")
    if call is not None:
        return Messages(outer.write_key, read_one(text, partial(_read, call=call, now=now)))
    batch = elements(array, "batch")
    return Messages(outer.write_key, read_each(batch, partial(_read, call=None, now=now), prefix="batch"))


def _read(text: Text, *, call: str | None, now: float) -> Event:
    """One message. Raises FieldError; without a time it happened now, as it does for Segment."""
    message = _MESSAGE.decode(text)
    call = call or message.type
    if call not in CALLS:
        raise FieldError("type", f"must be one of {', '.join(CALLS)}")
    return Event(
        event_id=_event_id(message, text),
        event=event_name(message.event, "event") if call == "track" else call,
        user_id=first_identifier({"userId": message.user_id, "anonymousId": message.anonymous_id}),
        happened_at=now if message.timestamp is None else moment(message.timestamp, now=now, field="timestamp"),
        properties=_properties(message, call),
    )


def _event_id(message: _Message, text: Text) -> str:
    """The library's own id; without one, a digest of the message as it was sent."""
    return event_name(message.message_id, "messageId") if message.message_id else digest(bytes(text).decode())


def _properties(message: _Message, call: str) -> dict[str, Any]:
    """What the sender said, and of the context what funnels are commonly broken down by."""
    context = message.context or {}
    own = message.traits if call in ("identify", "group") else message.properties
    return with_defaults(
        own,
        {
            "name": message.name,
            "category": message.category,
            "group_id": message.group_id,
            "previous_id": message.previous_id,
            "country": _within(context, "location", "country"),
            "device": _within(context, "device", "type"),
            "os": _within(context, "os", "name"),
            "version": _within(context, "app", "version"),
            "locale": context.get("locale"),
            "path": _within(context, "page", "path"),
        },
    )


def _within(context: dict[str, Any], part: str, name: str) -> Any:
    found = context.get(part)
    return found.get(name) if isinstance(found, dict) else None
