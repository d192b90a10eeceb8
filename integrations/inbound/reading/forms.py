"""Read web forms: older analytics clients send their JSON, often in base64, in a field named `data`."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import parse_qsl

from integrations.inbound.reading.records import PayloadError

FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 50


def form_fields(body: bytes) -> dict[str, str]:
    """Return the fields of a form. Of several fields with one name, the last counts. Raises PayloadError."""
    try:
        text = body.decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"))
    except UnicodeDecodeError as error:
        raise PayloadError("it is not a form: a form is percent-encoded UTF-8") from error
    except ValueError as error:
        raise PayloadError(f"it is a form of more than {_MOST_FIELDS} fields") from error


def json_of_form(fields: dict[str, str]) -> bytes:
    """Return the JSON in the field `data`, which is plain or base64. Raises PayloadError."""
    data = fields.get("data", "").strip()
    if not data:
        raise PayloadError("is missing", "data")
    if data[0] in "{[":
        return data.encode()
    try:
        # A sender that did not escape the plus signs of its base64 has spaces instead.
        return base64.b64decode(data.replace(" ", "+").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise PayloadError("is neither JSON nor base64", "data") from error
