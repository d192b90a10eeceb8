"""Product events as PostHog's client libraries post them: /batch/, /capture/ and /i/v0/e/.

The shapes: https://posthog.com/docs/api/capture
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from detection.types import Event
from integrations.inbound.body import decoded, without_nul
from integrations.inbound.events import RawEvent, place, read_array, to_event
from integrations.inbound.records import FieldError, Parsed, PayloadError, Rejection


@dataclass(frozen=True, slots=True)
class Capture:
    """A body as read: the door authenticates `api_key` before it keeps any of `events`."""

    api_key: str | None
    events: Parsed[Event]


class _Envelope(msgspec.Struct):
    api_key: str | None = None
    token: str | None = None
    batch: msgspec.Raw = msgspec.Raw()


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_EVENT = msgspec.json.Decoder(RawEvent)


def parse_capture(body: bytes, *, content_encoding: str = "", now: float, max_decoded_bytes: int) -> Capture:
    """Read a batch or a single event; the sender's `uuid` is its id, events such as $identify are kept as events.

    An event without a time happened now, as it does for PostHog. Raises PayloadError.
    """
    text = without_nul(decoded(body, content_encoding, max_decoded_bytes)).strip()
    if not text:
        raise PayloadError("it is empty")
    try:
        envelope = _ENVELOPE.decode(text)
    except msgspec.ValidationError as error:
        field, message = place(error)
        raise PayloadError(message, field) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise PayloadError(f"it is not JSON: {error}") from error
    api_key = envelope.api_key or envelope.token
    batch = bytes(envelope.batch)
    if not batch:
        return Capture(api_key, _single(text, now))
    if not batch.startswith(b"["):
        raise PayloadError("must be an array", "batch")
    return Capture(api_key, read_array(batch, now=now, prefix="batch", default_time=now))


def _single(text: bytes, now: float) -> Parsed[Event]:
    try:
        return Parsed([to_event(_EVENT.decode(text), now=now, default_time=now)])
    except FieldError as error:
        return Parsed(rejections=[Rejection(0, error.field, error.message)])
    except msgspec.ValidationError as error:
        field, message = place(error)
        return Parsed(rejections=[Rejection(0, field, message)])
