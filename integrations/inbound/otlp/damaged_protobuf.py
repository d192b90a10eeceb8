"""Read OTLP protobuf part by part if some texts are not UTF-8 or one record is broken.

This module finds the fields of a message by their tags (https://protobuf.dev/programming-guides/encoding/) and repairs
the texts before protobuf's own parser reads them. That parser accepts a message only as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from integrations.inbound.otlp.parts import Encoding, ReadRecord, Record, Signal
from integrations.inbound.otlp.values import TEXT_LIMIT
from integrations.inbound.reading.records import FieldError

Shape = Any
"""A message's Descriptor. Typed as Any, because protobuf has one such class in Python and another in C."""

_VARINT, _WITH_LENGTH = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_MAX_VARINT_BYTES = 10
_MAX_DEPTH = 32
_TEXT_BYTES = 4 * TEXT_LIMIT
"""The readers keep at most TEXT_LIMIT characters, and a character has at most four bytes."""


@dataclass(frozen=True, slots=True)
class RawMessage:
    """A message that is not parsed yet: its bytes and its expected shape."""

    body: bytes
    shape: Shape


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a message: body[start:end] includes its tag, body[content:end] does not."""

    number: int
    has_length: bool
    start: int
    content: int
    end: int


def protobuf_encoding(signal: Signal[Record]) -> Encoding[RawMessage, Record]:
    """Return the protobuf encoding of a signal's requests."""
    return Encoding(
        _parts, _resource, _scope, lambda message: ReadRecord(_parse_with_replacements(signal.record(), message.body))
    )


def _parts(holder: RawMessage, name: str) -> list[RawMessage] | FieldError:
    wanted: FieldDescriptor = holder.shape.fields_by_name[name]
    try:
        return [
            RawMessage(holder.body[field.content : field.end], wanted.message_type)
            for field in _fields(holder.body)
            if field.number == wanted.number and field.has_length
        ]
    except DecodeError:
        return FieldError("", f"is not a protobuf {holder.shape.name}")


def _resource(holder: RawMessage) -> Resource | FieldError:
    found = _parts(holder, "resource")
    if isinstance(found, FieldError):
        return found
    resource = _parse_with_replacements(Resource(), b"".join(message.body for message in found))
    return FieldError("resource", resource.message) if isinstance(resource, FieldError) else resource


def _scope(holder: RawMessage) -> InstrumentationScope:
    found = _parts(holder, "scope")
    body = b"" if isinstance(found, FieldError) else b"".join(message.body for message in found)
    scope = _parse_with_replacements(InstrumentationScope(), body)
    return InstrumentationScope() if isinstance(scope, FieldError) else scope


def _parse_with_replacements(empty: Record, body: bytes) -> Record | FieldError:
    """Parse a message. Bytes of its texts that are not UTF-8 become U+FFFD."""
    shape: Shape = empty.DESCRIPTOR
    try:
        if not _try_parse(empty, body):
            empty.ParseFromString(_with_valid_texts(body, shape))
    except DecodeError:
        return FieldError("", f"is not a protobuf {shape.name}")
    return empty


def _try_parse(empty: Message, body: bytes) -> bool:
    try:
        empty.ParseFromString(body)
    except DecodeError:
        return False
    return True


def _with_valid_texts(body: bytes, shape: Shape, depth: int = 0) -> bytes:
    """Return the encoded message with all texts valid UTF-8. Raises DecodeError."""
    if depth > _MAX_DEPTH:
        raise DecodeError("is nested too deeply")
    repaired: list[bytes] = []
    for found in _fields(body):
        field: FieldDescriptor | None = shape.fields_by_number.get(found.number)
        content = body[found.content : found.end]
        if field is None or not found.has_length:
            repaired.append(body[found.start : found.end])
            continue
        if field.type == FieldDescriptor.TYPE_STRING:
            content = _text(content)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            content = _with_valid_texts(content, field.message_type, depth + 1)
        repaired.append(_encode_varint(found.number << 3 | _WITH_LENGTH) + _encode_varint(len(content)) + content)
    return b"".join(repaired)


def _text(content: bytes) -> bytes:
    try:
        content.decode()
    except UnicodeDecodeError:
        return content[:_TEXT_BYTES].decode("utf-8", "replace").encode()
    return content


def _fields(body: bytes) -> Iterator[_Field]:
    """Yield every field of a message. Raises DecodeError if the bytes are not a message."""
    place = 0
    while place < len(body):
        start = place
        tag, place = _varint(body, place)
        number, kind = tag >> 3, tag & 7
        content = place
        if kind == _VARINT:
            _, place = _varint(body, place)
        elif kind == _WITH_LENGTH:
            length, content = _varint(body, place)
            place = content + length
        elif kind in _FIXED_BYTES:
            place += _FIXED_BYTES[kind]
        else:
            raise DecodeError(f"there is no wire type {kind}")
        if number == 0 or place > len(body):
            raise DecodeError("a field is cut short")
        yield _Field(number, kind == _WITH_LENGTH, start, content, place)


def _varint(body: bytes, place: int) -> tuple[int, int]:
    """Return (the varint at `place`, the position after it). Raises DecodeError."""
    number = 0
    for offset, byte in enumerate(body[place : place + _MAX_VARINT_BYTES]):
        number |= (byte & 0x7F) << (7 * offset)
        if byte < 0x80:
            return number, place + offset + 1
    raise DecodeError("a number is cut short")


def _encode_varint(number: int) -> bytes:
    """Encode a number as a varint."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
