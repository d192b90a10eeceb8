"""Read product events that PostHog's client libraries post to /batch/, /capture/, /e/ and /i/v0/e/.

The shapes: https://posthog.com/docs/api/capture
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from detection.types import Event, LogRecord
from integrations.inbound.product.events import Arrival, RawEvent, arrived, read_array, to_event
from integrations.inbound.product.posthog_cookieless import with_visitor
from integrations.inbound.product.posthog_exceptions import EXCEPTION, to_log_record
from integrations.inbound.reading.batches import (
    Text,
    array_elements,
    decode_strictly,
    read_each,
    read_one,
    split_envelope,
)
from integrations.inbound.reading.body import decoded, without_nul
from integrations.inbound.reading.forms import FORM, form_fields, json_of_form
from integrations.inbound.reading.records import Parsed, PayloadError


@dataclass(frozen=True, slots=True)
class Capture:
    """A body that was read. The door authenticates `api_key` before it stores any of `records`."""

    api_key: str | None
    records: Parsed[Event | LogRecord]


class _Own(msgspec.Struct):
    """The properties of a single event, which may hold the key as `token`."""

    token: str | None = None


class _Envelope(msgspec.Struct):
    api_key: str | None = None
    token: str | None = None
    batch: msgspec.Raw = msgspec.Raw()
    properties: msgspec.Raw = msgspec.Raw()
    sent_at: Any = None
    sent_at_camel: Any = msgspec.field(default=None, name="sentAt")


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_EVENT = msgspec.json.Decoder(RawEvent)
_OWN = msgspec.json.Decoder(_Own)


def parse_capture(
    body: bytes,
    *,
    content_type: str = "",
    content_encoding: str = "",
    sent_at: str | None = None,
    now: float,
    max_decoded_bytes: int,
    visitor: str = "",
) -> Capture:
    """Read a batch, an array of events or a single event, as JSON or in the field `data` of a form.

    visitor: tells the sender of the body from others, for events of people without cookies.
    The id is the sender's `uuid`. Special events such as $identify are kept as events; $exception becomes a log record.
    Times are corrected by the body's `sent_at`, else by `sent_at`, which posthog-js puts into the URL. A missing time
    becomes `now`, less the event's `offset`: https://posthog.com/docs/data/timestamps. Raises PayloadError.
    """
    text = decoded(body, content_encoding, max_decoded_bytes).strip()
    form_key = form_sent_at = None
    if content_type == FORM and not text.startswith((b"{", b"[")):
        fields = form_fields(text)
        form_key, form_sent_at, text = fields.get("api_key"), fields.get("sent_at"), json_of_form(fields)
        text = decoded(text, "", max_decoded_bytes).strip()
    text = without_nul(text)
    if not text:
        raise PayloadError("it is empty")
    outside = (form_sent_at, sent_at)
    capture = _array(text, outside, now) if text.startswith(b"[") else _object(text, outside, now)
    return Capture(form_key or capture.api_key, _split(capture.events, visitor))


@dataclass(frozen=True, slots=True)
class _Sent:
    """What was sent, before exceptions become log records."""

    api_key: str | None
    events: Parsed[Event]


def _object(text: bytes, sent_at: tuple[object, ...], now: float) -> _Sent:
    outer, array = split_envelope(_ENVELOPE, text, "batch")
    api_key = outer.api_key or outer.token or _own_key(outer.properties)
    arrival = arrived(now, (outer.sent_at, outer.sent_at_camel, *sent_at), may_lack_time=True)
    batch = bytes(array)
    if not batch:
        return _Sent(api_key, read_one(text, partial(_read, arrival=arrival)))
    if not batch.startswith(b"["):
        raise PayloadError("must be an array", "batch")
    return _Sent(api_key, read_array(batch, arrival, prefix="batch"))


def _array(text: bytes, sent_at: tuple[object, ...], now: float) -> _Sent:
    """Read an array of events without an envelope. The key of the first event authenticates all of them."""
    envelopes = read_each(array_elements(text), _ENVELOPE.decode).records
    first = next(iter(envelopes), None)
    key = None if first is None else first.api_key or first.token or _own_key(first.properties)
    return _Sent(key, read_array(text, arrived(now, sent_at, may_lack_time=True)))


def _own_key(properties: msgspec.Raw) -> str | None:
    return decode_strictly(_OWN, properties).token if bytes(properties).startswith(b"{") else None


def _read(text: Text, *, arrival: Arrival) -> Event:
    return to_event(_EVENT.decode(text), arrival)


def _split(parsed: Parsed[Event], visitor: str) -> Parsed[Event | LogRecord]:
    return Parsed([_kind(with_visitor(event, visitor)) for event in parsed.records], parsed.rejections)


def _kind(event: Event) -> Event | LogRecord:
    return to_log_record(event) if event.event == EXCEPTION else event
