"""Read product events that Mixpanel's client libraries post to /track and /import.

The shapes: https://developer.mixpanel.com/reference/track-event and …/reference/import-events
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from detection.types import Event
from integrations.inbound.product.mixpanel_people import TELLS_IDS, person
from integrations.inbound.product.shared_fields import event_name
from integrations.inbound.reading.batches import Text, array_elements, read_each, split_lines
from integrations.inbound.reading.body import decoded, without_nul
from integrations.inbound.reading.clocks import SenderClock, clock_of, is_unset
from integrations.inbound.reading.digests import RecordIds, digest_within_sender
from integrations.inbound.reading.forms import FORM, form_fields, json_of_form
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError
from integrations.inbound.reading.senders_ids import record_id

NDJSON = "application/x-ndjson"
_BOOKKEEPING = frozenset({"token", "time", "distinct_id", "$insert_id"})


@dataclass(frozen=True, slots=True)
class Tracked:
    """A body that was read. `token` is the first event's, for senders who send their key nowhere else."""

    token: str | None
    events: Parsed[Event]


class _Event(msgspec.Struct):
    event: str | None = None
    properties: dict[str, Any] | None = None


class _Token(msgspec.Struct):
    token: str | None = None


class _Owned(msgspec.Struct):
    properties: _Token | None = None


_EVENT = msgspec.json.Decoder(_Event)
_OWNED = msgspec.json.Decoder(_Owned)


def parse_tracked(
    body: bytes,
    *,
    content_type: str = "",
    content_encoding: str = "",
    needs_time: bool,
    sent_at: str | None = None,
    now: float,
    max_decoded_bytes: int,
) -> Tracked:
    """Read one event, an array or NDJSON, or a form with one of the first two in `data`. Raises PayloadError.

    needs_time: /import is for history, so each event needs a time. At /track a missing time becomes `now`.
    sent_at: the time of sending by the sender's clock, which mixpanel-js puts into the URL.
    """
    text = decoded(body, content_encoding, max_decoded_bytes).strip()
    if content_type == FORM:
        text = json_of_form(form_fields(text))
    text = without_nul(text).strip()
    if not text:
        raise PayloadError("it is empty")
    texts = _texts(text, content_type)
    read = partial(_read, needs_time=needs_time, clock=clock_of(sent_at, now=now), ids=RecordIds(now))
    events = read_each(texts, read)
    return Tracked(_token(texts), events)


def _texts(text: bytes, content_type: str) -> Sequence[Text]:
    if content_type == NDJSON:
        return split_lines(text)
    return array_elements(text) if text.startswith(b"[") else [text]


def _token(texts: Sequence[Text]) -> str | None:
    """Return the token of the first event that has one."""
    owned = read_each(texts, _OWNED.decode).records
    return next((one.properties.token for one in owned if one.properties and one.properties.token), None)


def _read(text: Text, *, needs_time: bool, clock: SenderClock, ids: RecordIds) -> Event:
    """Read one event. Raises FieldError."""
    raw = _EVENT.decode(text)
    properties = raw.properties or {}
    event = event_name(raw.event, "event")
    user_id, also_known_as = person(event, properties)
    time = properties.get("time")
    if is_unset(time) and needs_time and event not in TELLS_IDS:
        raise FieldError("properties.time", "is missing")
    return Event(
        event_id=_event_id(event, user_id, properties, ids),
        event=event,
        user_id=user_id,
        happened_at=clock.now if is_unset(time) else clock.corrected(time, field="properties.time"),
        properties={name: value for name, value in properties.items() if name not in _BOOKKEEPING},
        also_known_as=also_known_as,
    )


def _event_id(event: str, user_id: str, properties: dict[str, Any], ids: RecordIds) -> str:
    """Return an id from event name, user, time and $insert_id, as Mixpanel deduplicates; else one made of the event."""
    insert_id = record_id(properties.get("$insert_id"), "properties.$insert_id")
    if insert_id is None:
        return ids.of("mixpanel", event, properties, has_time=not is_unset(properties.get("time")))
    return digest_within_sender("mixpanel", event, user_id, properties.get("time"), insert_id)
