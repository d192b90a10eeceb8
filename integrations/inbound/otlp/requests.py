"""The records of an OTLP export request, whether it came as protobuf or as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import DecodeError, Message

from integrations.inbound.otlp.damaged_protobuf import Piece, wire_form
from integrations.inbound.otlp.json import json_form
from integrations.inbound.otlp.parts import Located, Record, Signal, path, taken_apart
from integrations.inbound.otlp.values import instance_and_host, service_and_version
from integrations.inbound.reading.batches import lenient
from integrations.inbound.reading.records import FieldError, PayloadError

JSON = "application/json"


def records(signal: Signal[Record], body: bytes, content_type: str) -> Iterator[Located[Record]]:
    """Every record of a decompressed body. Raises PayloadError where it is no request at all."""
    if content_type == JSON:
        yield from taken_apart(signal, json_form(signal), lenient(body))
        return
    request = signal.request()
    try:
        request.ParseFromString(body)
    except DecodeError:
        yield from _of_wire(signal, body, request)
    else:
        yield from _of_message(signal, request)


def _of_message(signal: Signal[Record], request: Message) -> Iterator[Located[Record]]:
    for r, resource in enumerate(getattr(request, signal.resources)):
        service, version = service_and_version(resource.resource)
        sender = instance_and_host(resource.resource)
        for s, scope in enumerate(getattr(resource, signal.scopes)):
            for i, record in enumerate(getattr(scope, signal.records)):
                yield Located(record, path(signal, r, s, i), service, version, sender)


def _of_wire(signal: Signal[Record], body: bytes, request: Message) -> Iterator[Located[Record]]:
    """What can be read of a request that protobuf's parser refuses as a whole. Raises PayloadError for nothing."""
    unreadable = PayloadError(f"it is not a protobuf {request.DESCRIPTOR.name}")
    try:
        found = list(taken_apart(signal, wire_form(signal), Piece(body, request.DESCRIPTOR)))
    except PayloadError as error:
        raise unreadable from error
    if all(isinstance(located.record, FieldError) for located in found):
        raise unreadable
    yield from found
