"""Reading JSON that may be wrong in one place: the record at fault is refused, the others are kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec

from integrations.inbound.reading.json_faults import fault
from integrations.inbound.reading.records import FieldError, Parsed, PayloadError, Rejection

Record = TypeVar("Record")
Shape = TypeVar("Shape")
Text = bytes | msgspec.Raw

UNREADABLE = (FieldError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that reading one record may raise; `explained` says what each means."""

MOST_VALUES = 3_000_000
"""More than any body of real records holds. A value of two bytes takes a hundred once it is read."""

_PUNCTUATION = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)
_RAW_MANY = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT = msgspec.json.Decoder(dict[str, Any])


def elements(text: Text, name: str = "") -> Sequence[Text]:
    """The elements of a JSON array, not yet read. Raises PayloadError; `name` is the array's own place.

    An element that is no JSON (NaN, say, which Python writes) is one of them still, as long as the brackets match.
    """
    array = bytes(text)
    if not array.startswith(b"["):
        raise PayloadError("must be an array", name)
    _bounded(array.count(b","), name)
    try:
        return _RAW_MANY.decode(text)
    except UNREADABLE as error:
        apart = _split(array)
        if apart is None:
            raise _refused(error, text) from error
        return apart


def lines_of(text: bytes) -> Sequence[bytes]:
    """The lines of a body of one record a line. Raises PayloadError for more than any such body has."""
    _bounded(text.count(b"\n"), "")
    return text.split(b"\n")


def _bounded(values: int, name: str) -> None:
    if values > MOST_VALUES:
        raise PayloadError(f"holds more than {MOST_VALUES:,} values; send fewer records at once", name)


def _split(array: bytes) -> list[bytes] | None:
    """What stands between an array's own commas; None where its brackets do not match."""
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


def whole(decoder: msgspec.json.Decoder[Shape], text: Text) -> Shape:
    """Decode a body that is of no use unless it is right; raises PayloadError, its `field` the one at fault."""
    try:
        return decoder.decode(text)
    except UNREADABLE as error:
        raise _refused(error, text) from error


def envelope(decoder: msgspec.json.Decoder[Shape], text: bytes, name: str) -> tuple[Shape, Text]:
    """(the object around an array of records, that array not yet read); empty where there is none of that name.

    An element that is no JSON is left to whoever reads the elements. Raises PayloadError.
    """
    try:
        found = decoder.decode(text)
    except UNREADABLE as error:
        apart = _taken_out(text, name)
        if apart is None:
            raise _refused(error, text) from error
        return whole(decoder, apart[0]), apart[1]
    array: msgspec.Raw = getattr(found, name)
    return found, array


def _taken_out(text: bytes, name: str) -> tuple[bytes, bytes] | None:
    """(an object with that array of its own empty, the array); None where it has none, or its brackets do not match."""
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


def lenient(text: bytes) -> dict[str, Any]:
    """A body that is one JSON object, for a reader that looks at each record by itself. Raises PayloadError.

    A bare NaN (a float then), a number beyond all bounds (an infinite one) or text that is no UTF-8 is let through.
    """
    try:
        return whole(_OBJECT, text)
    except PayloadError:
        found = _as_python_reads(text)
        if not isinstance(found, dict):
            raise
        return found


def _as_python_reads(text: bytes) -> Any:
    """The value, without lone surrogates, which nothing could store; None where it is no JSON."""
    try:
        found = json.loads(text.decode("utf-8", "replace"))
        return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def read_each(texts: Iterable[Text], read: Callable[[Text], Record], *, prefix: str = "") -> Parsed[Record]:
    """Read record by record; blank ones count for nothing. A rejection's field is a path such as "batch[1].event"."""
    parsed: Parsed[Record] = Parsed()
    for index, text in enumerate(text for text in texts if bytes(text).strip()):
        try:
            parsed.records.append(read(text))
        except UNREADABLE as error:
            field, message = explained(error, text)
            path = f"{prefix}[{index}].{field}" if field else f"{prefix}[{index}]"
            parsed.rejections.append(Rejection(index, path, message))
    return parsed


def read_one(text: Text, read: Callable[[Text], Record]) -> Parsed[Record]:
    """Read a body that is one record. Raises PayloadError where it is not JSON at all."""
    try:
        return Parsed([read(text)])
    except (FieldError, msgspec.ValidationError) as error:
        return Parsed(rejections=[Rejection(0, *explained(error, text))])
    except UNREADABLE as error:
        raise _refused(error, text) from error


def _refused(error: Exception, text: Text) -> PayloadError:
    field, message = explained(error, text)
    return PayloadError(f"it {message}" if message.startswith("is ") and not field else message, field)


def explained(error: Exception, text: Text) -> tuple[str, str]:
    """(field, message) of one of UNREADABLE, which reading `text` raised."""
    if isinstance(error, FieldError):
        return error.field, error.message
    if isinstance(error, RecursionError):
        return "", "is nested too deeply"
    known = fault(error, bytes(text))
    if known is not None:
        return known
    if isinstance(error, msgspec.ValidationError):
        return place(error)
    return "", f"is not JSON: {error}"


def place(error: msgspec.ValidationError) -> tuple[str, str]:
    """Where msgspec found a wrong shape, and what it said: "Expected `str`, got `int` - at `$.event`"."""
    message, _, path = str(error).partition(" - at `$")
    if not path and "missing required field" in message:
        name = message.split("`")[1::2][-1]
        return name, "is missing"
    return path.rstrip("`").lstrip("."), message[:1].lower() + message[1:]
