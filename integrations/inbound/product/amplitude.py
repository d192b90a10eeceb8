"""Read product events that Amplitude's client libraries post to /2/httpapi and /batch.

The shapes: https://amplitude.com/docs/apis/analytics/http-v2
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from detection.types import Event
from integrations.inbound.product.identities import signed_in
from integrations.inbound.product.shared_fields import Identifier, event_name, first_identifier, with_defaults
from integrations.inbound.reading.batches import Text, array_elements, read_each, split_envelope
from integrations.inbound.reading.body import decoded, without_nul
from integrations.inbound.reading.clocks import SenderClock, clock_of, is_unset
from integrations.inbound.reading.digests import RecordIds, digest_within_sender
from integrations.inbound.reading.records import Parsed, PayloadError, Rejection
from integrations.inbound.reading.senders_ids import record_id


@dataclass(frozen=True, slots=True)
class Upload:
    """A body that was read. The door authenticates `api_key` before it stores any of `events`."""

    api_key: str | None
    events: Parsed[Event]


class _Envelope(msgspec.Struct):
    api_key: str | None = None
    events: msgspec.Raw = msgspec.Raw()
    client_upload_time: Any = None
    upload_time: Any = None


class _Event(msgspec.Struct):
    """One event: https://amplitude.com/docs/apis/analytics/http-v2#keys-for-the-event-argument."""

    event_type: str | None = None
    user_id: Identifier = None
    device_id: Identifier = None
    insert_id: Identifier = None
    time: str | int | float | None = None
    event_properties: dict[str, Any] | None = None
    user_properties: dict[str, Any] | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    language: str | None = None
    platform: str | None = None
    os_name: str | None = None
    device_model: str | None = None
    app_version: str | None = None
    product_id: str | None = msgspec.field(default=None, name="productId")
    price: float | None = None
    quantity: float | None = None
    revenue: float | None = None
    currency: str | None = None


class _Identification(msgspec.Struct):
    api_key: str | None = None
    identification: msgspec.Raw = msgspec.Raw()


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_IDENTIFICATION = msgspec.json.Decoder(_Identification)
_EVENT = msgspec.json.Decoder(_Event)
_COPIED_FIELDS = ("region", "city", "language", "product_id", "price", "quantity", "revenue", "currency")


def is_upload(text: bytes) -> bool:
    """Whether a decoded body is Amplitude's. PostHog's clients also post to /batch, but name their array `batch`."""
    if not text.startswith(b"{"):
        return False
    try:
        return bool(bytes(split_envelope(_ENVELOPE, text, "events")[1]))
    except PayloadError:
        return False


def parse_upload(body: bytes, *, content_encoding: str = "", now: float, max_decoded_bytes: int) -> Upload:
    """Read an upload. Special events such as $identify are kept as events. Raises PayloadError."""
    text = without_nul(decoded(body, content_encoding, max_decoded_bytes)).strip()
    if not text:
        raise PayloadError("it is empty")
    outer, array = split_envelope(_ENVELOPE, text, "events")
    clock = clock_of(outer.client_upload_time, outer.upload_time, now=now)
    read = partial(read_event, clock=clock, ids=RecordIds(now))
    events = read_each(array_elements(array, "events"), read, prefix="events")
    return Upload(outer.api_key, events)


def group_rejections(rejections: Sequence[Rejection]) -> dict[str, dict[str, list[int]]]:
    """Group the indexes of refused events by field, in the two groups that Amplitude's libraries look for."""
    groups: dict[str, dict[str, list[int]]] = {"events_with_missing_fields": {}, "events_with_invalid_fields": {}}
    for rejection in rejections:
        group = (
            "events_with_missing_fields" if rejection.message.startswith("is missing") else "events_with_invalid_fields"
        )
        name = rejection.field.partition("].")[2] or "event"
        groups[group].setdefault(name, []).append(rejection.index)
    return groups


def read_event(text: Text, *, clock: SenderClock, ids: RecordIds, default_type: str | None = None) -> Event:
    """Read one event. Without a time it happened when it arrived, as in Amplitude. Raises FieldError."""
    raw = _EVENT.decode(text)
    user_id = first_identifier({"user_id": raw.user_id, "device_id": raw.device_id})
    return Event(
        event_id=_event_id(raw, text, ids),
        event=event_name(raw.event_type or default_type, "event_type"),
        user_id=user_id,
        happened_at=clock.now if is_unset(raw.time) else clock.corrected(raw.time, field="time"),
        properties=_properties(raw),
        also_known_as=signed_in(user_id, raw.device_id),
    )


def _event_id(raw: _Event, text: Text, ids: RecordIds) -> str:
    """Return an id from the insert_id, which is unique per device in Amplitude, else one made of the event as sent."""
    insert_id = record_id(raw.insert_id, "insert_id")
    if insert_id is None:
        return ids.of(bytes(text).decode(), has_time=not is_unset(raw.time))
    return digest_within_sender("amplitude", raw.device_id, raw.user_id, insert_id)


def _properties(raw: _Event) -> dict[str, Any]:
    known = {name: getattr(raw, name) for name in _COPIED_FIELDS}
    return with_defaults(
        raw.event_properties,
        {
            **known,
            "country": raw.country,
            "device": raw.device_model or raw.platform,
            "os": raw.os_name,
            "version": raw.app_version,
            "user_properties": raw.user_properties,
        },
    )
