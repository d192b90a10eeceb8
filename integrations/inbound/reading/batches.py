"""Read batches of JSON records: an invalid record is refused, the others are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from integrations.inbound.reading.decoder_words import plain
from integrations.inbound.reading.json_faults import describe_number_fault
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection

Record = TypeVar("Record")
Shape = TypeVar("Shape")
Text = bytes | msgspec.Raw

UNREADABLE = (FieldError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Every exception that reading one record may raise; `describe_error` turns each into a field and a message."""

MOST_VALUES = 3_000_000
"""More values than any real body holds. A value of two bytes takes about a hundred bytes once decoded."""

_PUNCTUATION = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)
_RAW_MANY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, Any])


def array_elements(text: Text, name: str = "") -> Sequence[Text]:
    """Return the undecoded elements of a JSON array. Raises PayloadError. `name` is the array's own field name.

    An element that is not valid JSON (such as NaN, which Python writes) is still returned, if the brackets match.
    """
    array = bytes(text)
    if not array.startswith(b"["):
        raise PayloadError("must be an array", name)
    _check_value_count(array.count(b","), name)
    try:
        return _RAW_MANY.decode(text)
    except UNREADABLE as error:
        apart = _split(array)
        if apart is None:
            raise _payload_error(error, text) from error
        return apart


def split_lines(text: bytes) -> Sequence[bytes]:
    """Split a body with one record per line. Raises PayloadError if it has more than MOST_VALUES lines."""
    _check_value_count(text.count(b"\n"), "")
    return text.split(b"\n")


def _check_value_count(values: int, name: str) -> None:
    if values > MOST_VALUES:
        raise PayloadError(f"holds more than {MOST_VALUES:,} values; send fewer records at once", name)


def _split(array: bytes) -> list[bytes] | None:
    """Split an array at its own commas, without decoding it. Return None if its brackets do not match."""
    parts: list[bytes] = []
    depth, start = 0, 1
    for token in _PUNCTUATION.finditer(array):
        if token[0] in (b"[", b"{"):
            depth += 1
        elif token[0] in (b"]", b"}"):
            depth -= 1
        if depth == 0:
            return None if array[token.end() :].strip() else [*parts, array[start : token.start()]]
        if token[0] == b"," and depth == 1:
            parts.append(array[start : token.start()])
            start = token.end()
    return None


def decode_strictly(decoder: msgspec.json.Decoder[Shape], text: Text) -> Shape:
    """Decode a body that must be valid as a whole. Raises PayloadError with the invalid `field`."""
    try:
        return decoder.decode(text)
    except UNREADABLE as error:
        raise _payload_error(error, text) from error


def split_envelope(decoder: msgspec.json.Decoder[Shape], text: bytes, name: str) -> tuple[Shape, Text]:
    """Return (the object around an array of records, the undecoded array). The array is empty if the name is missing.

    An element that is not valid JSON is left for the reader of the elements. Raises PayloadError.
    """
    try:
        found = decoder.decode(text)
    except UNREADABLE as error:
        apart = _cut_out_array(text, name)
        if apart is None:
            raise _payload_error(error, text) from error
        return decode_strictly(decoder, apart[0]), apart[1]
    array: msgspec.Raw = getattr(found, name)
    return found, array


def _cut_out_array(text: bytes, name: str) -> tuple[bytes, bytes] | None:
    """Return (the object with that array emptied, the array). Return None if it is missing or brackets do not match."""
    depth, start, named_at = 0, -1, -1
    for token in _PUNCTUATION.finditer(text):
        if token[0] in (b"[", b"{"):
            if depth == 1 and named_at >= 0 and token[0] == b"[" and text[named_at : token.start()].strip() == b":":
                start = token.start()
            depth += 1
        elif token[0] in (b"]", b"}"):
            depth -= 1
            if depth == 1 and start >= 0:
                return text[:start] + b"[]" + text[token.end() :], text[start : token.end()]
        named_at = token.end() if token[0] == b'"%b"' % name.encode() else -1
    return None


def decode_leniently(text: bytes) -> dict[str, Any]:
    """Decode a body that is one JSON object, for a reader that checks each record separately. Raises PayloadError.

    Three faults are accepted: a bare NaN (becomes a float), a number out of range (becomes infinite), and text that is
    not UTF-8 (gets U+FFFD).
    """
    try:
        return decode_strictly(_OBJECT, text)
    except PayloadError:
        found = _decode_with_python(text)
        if not isinstance(found, dict):
            raise
        return found


def _decode_with_python(text: bytes) -> Any:
    """Decode with Python's json, without lone surrogates, which cannot be stored. Return None if it is not JSON."""
    try:
        found = json.loads(text.decode("utf-8", "replace"))
        return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def read_each(texts: Iterable[Text], read: Callable[[Text], Record], *, prefix: str = "") -> Parsed[Record]:
    """Read each record separately and skip blank ones. A rejection's field is a path such as "batch[1].event"."""
    parsed: Parsed[Record] = Parsed()
    for index, text in enumerate(text for text in texts if bytes(text).strip()):
        try:
            parsed.records.append(read(text))
        except UNREADABLE as error:
            field, message = describe_error(error, text)
            path = f"{prefix}[{index}].{field}" if field else f"{prefix}[{index}]"
            parsed.rejections.append(Rejection(index, path, message))
    return parsed


def read_one(text: Text, read: Callable[[Text], Record]) -> Parsed[Record]:
    """Read a body that is one record. Raises PayloadError if it is not JSON."""
    try:
        return Parsed([read(text)])
    except (FieldError, msgspec.ValidationError) as error:
        return Parsed(rejections=[Rejection(0, *describe_error(error, text))])
    except UNREADABLE as error:
        raise _payload_error(error, text) from error


def _payload_error(error: Exception, text: Text) -> PayloadError:
    field, message = describe_error(error, text)
    return PayloadError(f"it {message}" if message.startswith("is ") and not field else message, field)


def describe_error(error: Exception, text: Text) -> tuple[str, str]:
    """Return (field, message) for an exception of UNREADABLE that reading `text` raised."""
    if isinstance(error, FieldError):
        return error.field, error.message
    if isinstance(error, RecursionError):
        return "", "is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "", f"is not UTF-8{_first_odd_byte(bytes(text))}; send it in UTF-8"
    known = describe_number_fault(error, bytes(text))
    if known is not None:
        return known
    if isinstance(error, msgspec.ValidationError):
        return error_location(error)
    if not bytes(text).strip():
        return "", "is empty"
    return "", f"is not JSON: {str(error).replace('Input data was truncated', 'it breaks off')}"


def _first_odd_byte(text: bytes) -> str:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return f": byte {error.start} is 0x{text[error.start]:02x}"
    return ""


def error_location(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return (field, message in plain words) of an error such as "Expected `str`, got `int` - at `$.event`"."""
    message, _, path = str(error).partition(" - at `$")
    field = path.rstrip("`").lstrip(".")
    if "missing required field" in message:
        name = message.split("`")[1::2][-1]
        return f"{field}.{name}" if field else name, "is missing"
    return field, plain(message)
