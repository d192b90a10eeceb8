"""Read the records of an OTLP export request in protobuf or JSON."""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import DecodeError, Message

from integrations.inbound.otlp.damaged_protobuf import RawMessage, protobuf_encoding
from integrations.inbound.otlp.json import json_encoding
from integrations.inbound.otlp.parts import Located, Record, Signal, origin_of, path, split_request
from integrations.inbound.otlp.values import instance_and_host, scope_attributes, service_and_version
from integrations.inbound.reading.batches import decode_leniently
from integrations.inbound.reading.records import FieldError, PayloadError

JSON = "application/json"


def records(signal: Signal[Record], body: bytes, content_type: str) -> Iterator[Located[Record]]:
    """Yield every record of a decompressed body. Raises PayloadError if the body is not a request."""
    if content_type == JSON:
        yield from split_request(signal, json_encoding(signal), decode_leniently(body))
        return
    request = signal.request()
    try:
        request.ParseFromString(body)
    except DecodeError:
        yield from _damaged_records(signal, body, request)
    else:
        yield from _message_records(signal, request)


def _message_records(signal: Signal[Record], request: Message) -> Iterator[Located[Record]]:
    for r, resource in enumerate(getattr(request, signal.resources)):
        service, version = service_and_version(resource.resource)
        sender = instance_and_host(resource.resource)
        # Protobuf makes a new object at each look; the readers tell resources apart by the object.
        known = resource.resource
        for s, holder in enumerate(getattr(resource, signal.scopes)):
            scope, origin = scope_attributes(holder.scope), origin_of(resource.resource, holder.scope)
            for i, record in enumerate(getattr(holder, signal.records)):
                place = path(signal, r, s, i)
                yield Located(record, place, service, version, sender, scope, origin, resource=known)


def _damaged_records(signal: Signal[Record], body: bytes, request: Message) -> Iterator[Located[Record]]:
    """Yield what is readable of a request that protobuf's parser refuses. Raises PayloadError if that is nothing."""
    unreadable = PayloadError(f"it is not a protobuf {request.DESCRIPTOR.name}")
    try:
        found = list(split_request(signal, protobuf_encoding(signal), RawMessage(body, request.DESCRIPTOR)))
    except PayloadError as error:
        raise unreadable from error
    if all(isinstance(located.record, FieldError) for located in found):
        raise unreadable
    yield from found
