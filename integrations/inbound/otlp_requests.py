"""The records of an OTLP export request, whether it came as protobuf or as JSON.

JSON is read record by record, so that one of the wrong shape loses only itself. It is protobuf's JSON mapping, except
that ids are hex: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from detection.types import JsonValue
from integrations.inbound.batches import whole
from integrations.inbound.otlp_values import instance_and_host, service_and_version
from integrations.inbound.records import FieldError, PayloadError, Rejection

Record = TypeVar("Record", bound=Message)

JSON = "application/json"
_HEX_IDS = ("traceId", "spanId", "parentSpanId")
_UNREAD = ("links", "events")
_LONGEST_MESSAGE = 200
_OBJECT = msgspec.json.Decoder(dict[str, Any])


@dataclass(frozen=True, slots=True)
class Signal(Generic[Record]):
    """How one signal's requests are built: resources, in them scopes, in them records. Names are protobuf's."""

    request: Callable[[], Message]
    record: Callable[[], Record]
    resources: str
    scopes: str
    records: str


@dataclass(frozen=True, slots=True)
class Located(Generic[Record]):
    """One record of a request, or why it cannot be read; who sent it, and where in the request it stands.

    sender: the instance and the machine, as otlp_values.instance_and_host has them.
    """

    record: Record | FieldError
    service: str
    version: str | None
    path: Callable[[], str]
    sender: Mapping[str, JsonValue] = field(default_factory=dict)

    def readable(self) -> Record:
        """The record. Raises FieldError."""
        if isinstance(self.record, FieldError):
            raise self.record
        return self.record


def records(signal: Signal[Record], body: bytes, content_type: str) -> Iterator[Located[Record]]:
    """Every record of a decompressed body. Raises PayloadError where it is no request at all."""
    if content_type == JSON:
        yield from _of_json(signal, whole(_OBJECT, body))
    else:
        yield from _of_message(signal, _parsed(signal.request(), body))


def refused(index: int, path: str, error: FieldError) -> Rejection:
    """The rejection of the record at `path`."""
    return Rejection(index, f"{path}.{error.field}" if error.field else path, error.message)


def _parsed(empty: Message, body: bytes) -> Message:
    try:
        empty.ParseFromString(body)
    except DecodeError as error:
        raise PayloadError(f"it is not a protobuf {type(empty).__name__}") from error
    return empty


def _of_message(signal: Signal[Record], request: Message) -> Iterator[Located[Record]]:
    for r, resource in enumerate(getattr(request, signal.resources)):
        service, version = service_and_version(resource.resource)
        sender = instance_and_host(resource.resource)
        for s, scope in enumerate(getattr(resource, signal.scopes)):
            for i, record in enumerate(getattr(scope, signal.records)):
                yield Located(record, service, version, _path(signal, r, s, i), sender)


def _of_json(signal: Signal[Record], request: dict[str, Any]) -> Iterator[Located[Record]]:
    for r, resource in enumerate(_objects(request, signal.resources)):
        found = _resource(resource.get("resource"))
        service, version = ("", None) if isinstance(found, FieldError) else service_and_version(found)
        sender = {} if isinstance(found, FieldError) else instance_and_host(found)
        for s, scope in enumerate(_objects(resource, signal.scopes)):
            for i, fields in enumerate(_objects(scope, signal.records)):
                record = found if isinstance(found, FieldError) else _record(signal.record(), fields)
                yield Located(record, service, version, _path(signal, r, s, i), sender)


def _resource(fields: Any) -> Resource | FieldError:
    try:
        return _filled(Resource(), fields or {})
    except FieldError as error:
        return FieldError("resource", error.message)


def _record(empty: Record, fields: Mapping[str, Any]) -> Record | FieldError:
    try:
        ids = {name: _from_hex(fields[name], name) for name in _HEX_IDS if fields.get(name)}
        return _filled(empty, {name: value for name, value in fields.items() if name not in _UNREAD} | ids)
    except FieldError as error:
        return error


def _filled(empty: Record, fields: Any) -> Record:
    """A message from its JSON. Raises FieldError."""
    try:
        return ParseDict(fields, empty, ignore_unknown_fields=True)
    except (ParseError, RecursionError) as error:
        message = str(error) or "cannot be read"
        raise FieldError("", f"{message[:1].lower()}{message[1:_LONGEST_MESSAGE]}") from error


def _from_hex(value: Any, field: str) -> str:
    """An id in base64, as protobuf's own JSON mapping has it."""
    try:
        return base64.b64encode(bytes.fromhex(value)).decode("ascii")
    except (TypeError, ValueError) as error:
        raise FieldError(field, "is not hex") from error


def _objects(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """A list of objects within another, by either spelling of its name; what is left out is empty."""
    found = holder.get(_camel(name), holder.get(name))
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise PayloadError("must be an array of objects", _camel(name))
    return found


def _path(signal: Signal[Record], r: int, s: int, i: int) -> Callable[[], str]:
    """Written out only when something is refused."""
    return lambda: f"{_camel(signal.resources)}[{r}].{_camel(signal.scopes)}[{s}].{_camel(signal.records)}[{i}]"


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)
