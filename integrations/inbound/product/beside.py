"""The key of a call that product libraries make beside events, such as Mixpanel's profiles and PostHog's flags."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from integrations.inbound.reading.batches import split_lines
from integrations.inbound.reading.body import decoded
from integrations.inbound.reading.forms import FORM, form_fields, json_of_form
from integrations.inbound.reading.records import PayloadError

_KEYS = ("$token", "token", "api_key", "writeKey", "project_api_key")


def key_of_call(body: bytes, content_type: str, content_encoding: str, max_decoded_bytes: int) -> str | None:
    """Return the key in JSON or in a form: of the first object, or on its own. Raises PayloadError if it is neither."""
    text = decoded(body, content_encoding, max_decoded_bytes).strip()
    if content_type != FORM or text.startswith((b"{", b"[")):
        return _key_within(_json(text))
    fields = form_fields(text)
    data = decoded(json_of_form(fields), "", max_decoded_bytes) if fields.get("data") else b"{}"
    return _key_within(_json(data)) or next((fields[name] for name in _KEYS if fields.get(name)), None)


def _json(text: bytes) -> object:
    try:
        return msgspec.json.decode(text or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        first = split_lines(text)[0]
        if first != text and first.strip().endswith(b"}"):
            return _json(first)
        raise PayloadError(f"it is not JSON: {error}") from error


def _key_within(found: object) -> str | None:
    """Return the key of an object or of the first one of an array: its own, or among its properties."""
    first = found[0] if isinstance(found, list) and found else found
    if not isinstance(first, Mapping):
        return None
    properties = first.get("properties")
    places = [first, properties] if isinstance(properties, Mapping) else [first]
    return next((place[name] for place in places for name in _KEYS if isinstance(place.get(name), str)), None)
