"""Read who is who, as Amplitude's Identify API (/identify) and User Mapping API (/usermap) are told.

Both take a form with `api_key` and JSON, one object or an array, in a field of its own; here all of it may be JSON:
https://amplitude.com/docs/apis/analytics/identify and …/user-mapping
"""

from __future__ import annotations

from functools import partial

import msgspec

from detection.types import Event
from integrations.inbound.product.amplitude import Upload, read_event
from integrations.inbound.product.identities import merged
from integrations.inbound.product.shared_fields import Identifier, first_identifier
from integrations.inbound.reading.batches import Text, array_elements, read_each, split_envelope
from integrations.inbound.reading.body import decoded, without_nul
from integrations.inbound.reading.clocks import SenderClock
from integrations.inbound.reading.digests import RecordIds, digest_within_sender
from integrations.inbound.reading.forms import form_fields
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError

IDENTIFY = "$identify"
USER_MAP = "$user_map"


class _Mapping(msgspec.Struct):
    user_id: Identifier = None
    global_user_id: Identifier = None
    unmap: bool = False


class _Envelope(msgspec.Struct):
    api_key: str | None = None
    identification: msgspec.Raw = msgspec.Raw()
    mapping: msgspec.Raw = msgspec.Raw()


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_MAPPING = msgspec.json.Decoder(_Mapping)


def parse_identifications(body: bytes, *, content_encoding: str = "", now: float, max_decoded_bytes: int) -> Upload:
    """Read what /identify is sent; each identification becomes an event $identify. Raises PayloadError."""
    key, texts = _sent(body, "identification", content_encoding, max_decoded_bytes)
    read = partial(read_event, clock=SenderClock(now), ids=RecordIds(now), default_type=IDENTIFY)
    return Upload(key, read_each(texts, read, prefix="identification"))


def parse_user_map(body: bytes, *, content_encoding: str = "", now: float, max_decoded_bytes: int) -> Upload:
    """Read what /usermap is sent; each mapping becomes an event $user_map. Raises PayloadError."""
    key, texts = _sent(body, "mapping", content_encoding, max_decoded_bytes)
    events: Parsed[Event] = read_each(texts, partial(_mapped, now=now), prefix="mapping")
    return Upload(key, events)


def _sent(body: bytes, field: str, content_encoding: str, max_decoded_bytes: int) -> tuple[str | None, list[Text]]:
    """Return the key and the JSON objects of the field."""
    sent = without_nul(decoded(body, content_encoding, max_decoded_bytes)).strip()
    if sent.startswith(b"{"):
        outer, found = split_envelope(_ENVELOPE, sent, field)
        key, text = outer.api_key, bytes(found)
    else:
        fields = form_fields(sent)
        key, text = fields.get("api_key"), without_nul(fields.get(field, "").encode()).strip()
    if not text:
        raise PayloadError("is missing", field)
    return key, list(array_elements(text, field)) if text.startswith(b"[") else [text]


def _mapped(text: Text, *, now: float) -> Event:
    raw = _MAPPING.decode(text)
    if raw.unmap:
        raise FieldError("unmap", "is not possible: what was counted for one person is not counted apart again")
    user_id, other = (
        first_identifier({"global_user_id": raw.global_user_id}),
        first_identifier({"user_id": raw.user_id}),
    )
    return Event(
        event_id=digest_within_sender(USER_MAP, bytes(text).decode()),
        event=USER_MAP,
        user_id=user_id,
        happened_at=now,
        properties={},
        also_known_as=merged(user_id, other),
    )
