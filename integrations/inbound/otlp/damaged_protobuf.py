"""OTLP as protobuf whose texts are not all UTF-8, or of which one record is broken: read part by part.

A message's fields are found by their tags (https://protobuf.dev/programming-guides/encoding/), so that texts can be
mended before protobuf's own parser, which takes all or nothing, sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from integrations.inbound.otlp.parts import Form, Read, Record, Signal
from integrations.inbound.otlp.values import TEXT_LIMIT
from integrations.inbound.reading.records import FieldError

Shape = Any
"""A message's Descriptor: protobuf has one class of these in Python and another in C."""

_VARINT, _WITH_LENGTH = 0, 2
_FIXED_BYTES = {1: 8, 5: 4}
_LONGEST_VARINT = 10
_DEEPEST = 32
_TEXT_BYTES = 4 * TEXT_LIMIT
"""The readers keep TEXT_LIMIT characters at most; a character has four bytes at most."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A message not yet read: its bytes, and what shape they should have."""

    body: bytes
    shape: Shape


@dataclass(frozen=True, slots=True)
class _Field:
    """One field of a message: body[start:end] with its tag, body[content:end] without."""

    number: int
    has_length: bool
    start: int
    content: int
    end: int


def wire_form(signal: Signal[Record]) -> Form[Piece, Record]:
    """How a signal's requests are written as protobuf."""
    return Form(_parts, _resource, lambda piece: Read(_mended_message(signal.record(), piece.body)))


def _parts(holder: Piece, name: str) -> list[Piece] | FieldError:
    wanted: FieldDescriptor = holder.shape.fields_by_name[name]
    try:
        return [
            Piece(holder.body[field.content : field.end], wanted.message_type)
            for field in _fields(holder.body)
            if field.number == wanted.number and field.has_length
        ]
    except DecodeError:
        return FieldError("", f"is not a protobuf {holder.shape.name}")


def _resource(holder: Piece) -> Resource | FieldError:
    found = _parts(holder, "resource")
    if isinstance(found, FieldError):
        return found
    resource = _mended_message(Resource(), b"".join(piece.body for piece in found))
    return FieldError("resource", resource.message) if isinstance(resource, FieldError) else resource


def _mended_message(empty: Record, body: bytes) -> Record | FieldError:
    """The message, with U+FFFD for what is no UTF-8 in its texts."""
    shape: Shape = empty.DESCRIPTOR
    try:
        if not _parses(empty, body):
            empty.ParseFromString(_mended(body, shape))
    except DecodeError:
        return FieldError("", f"is not a protobuf {shape.name}")
    return empty


def _parses(empty: Message, body: bytes) -> bool:
    try:
        empty.ParseFromString(body)
    except DecodeError:
        return False
    return True


def _mended(body: bytes, shape: Shape, depth: int = 0) -> bytes:
    """The same message with texts that are UTF-8. Raises DecodeError."""
    if depth > _DEEPEST:
        raise DecodeError("is nested too deeply")
    mended: list[bytes] = []
    for found in _fields(body):
        field: FieldDescriptor | None = shape.fields_by_number.get(found.number)
        content = body[found.content : found.end]
        if field is None or not found.has_length:
            mended.append(body[found.start : found.end])
            continue
        if field.type == FieldDescriptor.TYPE_STRING:
            content = _text(content)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            content = _mended(content, field.message_type, depth + 1)
        mended.append(_written(found.number << 3 | _WITH_LENGTH) + _written(len(content)) + content)
    return b"".join(mended)


def _text(content: bytes) -> bytes:
    try:
        content.decode()
    except UnicodeDecodeError:
        return content[:_TEXT_BYTES].decode("utf-8", "replace").encode()
    return content


def _fields(body: bytes) -> Iterator[_Field]:
    """Every field of a message. Raises DecodeError where the bytes are no message."""
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
    """(the number that begins at `place`, where the next thing begins). Raises DecodeError."""
    number = 0
    for offset, byte in enumerate(body[place : place + _LONGEST_VARINT]):
        number |= (byte & 0x7F) << (7 * offset)
        if byte < 0x80:
            return number, place + offset + 1
    raise DecodeError("a number is cut short")


def _written(number: int) -> bytes:
    """A number as a varint."""
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
