"""Reading JSON that may be wrong in one place: the record at fault is refused, the others are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec

from integrations.inbound.records import FieldError, Parsed, PayloadError, Rejection

Record = TypeVar("Record")
Shape = TypeVar("Shape")
Text = bytes | msgspec.Raw

UNREADABLE = (FieldError, msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""All that reading one record may raise; `explained` says what each means."""

_PUNCTUATION = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{},]', re.DOTALL)
_RAW_MANY = msgspec.json.Decoder(list[msgspec.Raw])


def elements(text: Text, name: str = "") -> Sequence[Text]:
    """The elements of a JSON array, not yet read. Raises PayloadError; `name` is the array's own place.

    An element that is no JSON (NaN, say, which Python writes) is one of them still, as long as the brackets match.
    """
    if not bytes(text).startswith(b"["):
        raise PayloadError("must be an array", name)
    try:
        return _RAW_MANY.decode(text)
    except UNREADABLE as error:
        apart = _split(bytes(text))
        if apart is None:
            raise _refused(error) from error
        return apart


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
        raise _refused(error) from error


def read_each(texts: Iterable[Text], read: Callable[[Text], Record], *, prefix: str = "") -> Parsed[Record]:
    """Read record by record; blank ones count for nothing. A rejection's field is a path such as "batch[1].event"."""
    parsed: Parsed[Record] = Parsed()
    for index, text in enumerate(text for text in texts if bytes(text).strip()):
        try:
            parsed.records.append(read(text))
        except UNREADABLE as error:
            field, message = explained(error)
            path = f"{prefix}[{index}].{field}" if field else f"{prefix}[{index}]"
            parsed.rejections.append(Rejection(index, path, message))
    return parsed


def read_one(text: Text, read: Callable[[Text], Record]) -> Parsed[Record]:
    """Read a body that is one record. Raises PayloadError where it is not JSON at all."""
    try:
        return Parsed([read(text)])
    except (FieldError, msgspec.ValidationError) as error:
        return Parsed(rejections=[Rejection(0, *explained(error))])
    except UNREADABLE as error:
        raise _refused(error) from error


def _refused(error: Exception) -> PayloadError:
    field, message = explained(error)
    return PayloadError(f"it {message}" if message.startswith("is ") and not field else message, field)


def explained(error: Exception) -> tuple[str, str]:
    """(field, message) of one of UNREADABLE."""
    if isinstance(error, FieldError):
        return error.field, error.message
    if isinstance(error, RecursionError):
        return "", "is nested too deeply"
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
