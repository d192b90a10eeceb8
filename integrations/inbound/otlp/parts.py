"""Split an OTLP request into resources, scopes and records. An invalid part does not affect the others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from detection.types import JsonValue
from integrations.inbound.otlp.values import instance_and_host, scope_attributes, service_and_version
from integrations.inbound.reading.records import FieldError, PayloadError

Record = TypeVar("Record", bound=Message)
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Signal(Generic[Record]):
    """The structure of one signal's requests: resources contain scopes, which contain records. Names are protobuf's.

    kinds: the fields of a record that can hold its `data_points`.
    """

    request: Callable[[], Message]
    record: Callable[[], Record]
    resources: str
    scopes: str
    records: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadRecord(Generic[Record]):
    """One record, or the reason why it cannot be read.

    unread: the unreadable data points by their position; points: how many data points an unreadable record has.
    """

    record: Record | FieldError
    unread: Mapping[int, FieldError] = field(default_factory=dict)
    points: int = 0


@dataclass(frozen=True, slots=True)
class Located(Generic[Record]):
    """One record of a request, with its sender and its path in the request.

    sender: the instance and the host, as values.instance_and_host returns them. scope: what names the instrumentation
    scope. origin: a digest of the whole resource and scope, because equal records of two origins are two records.
    unread, points: as in ReadRecord. group: the same for all records of one resource and scope. resource: None if it
    cannot be read.
    """

    record: Record | FieldError
    path: Callable[[], str]
    service: str = ""
    version: str | None = None
    sender: Mapping[str, JsonValue] = field(default_factory=dict)
    scope: Mapping[str, JsonValue] = field(default_factory=dict)
    origin: str = ""
    unread: Mapping[int, FieldError] = field(default_factory=dict)
    points: int = 0
    group: tuple[int, ...] = ()
    resource: Resource | None = None

    def readable(self) -> Record:
        """Return the record. Raises FieldError if it cannot be read."""
        if isinstance(self.record, FieldError):
            raise self.record
        return self.record


@dataclass(frozen=True, slots=True)
class Encoding(Generic[Part, Record]):
    """An encoding of requests: how to get the parts of a part by protobuf's name, and how to read a part.

    scope: of what holds the records of one; empty if it is missing or cannot be read.
    """

    parts: Callable[[Part, str], Sequence[Part] | FieldError]
    resource: Callable[[Part], Resource | FieldError]
    scope: Callable[[Part], InstrumentationScope]
    record: Callable[[Part], ReadRecord[Record]]


def split_request(signal: Signal[Record], encoding: Encoding[Part, Record], request: Part) -> Iterator[Located[Record]]:
    """Yield every record and every unreadable part. Raises PayloadError if the request itself is unreadable."""
    resources = encoding.parts(request, signal.resources)
    if isinstance(resources, FieldError):
        raise PayloadError(resources.message, resources.field)
    for r, resource in enumerate(resources):
        scopes = encoding.parts(resource, signal.scopes)
        if isinstance(scopes, FieldError):
            yield Located(scopes, path(signal, r))
        else:
            yield from _resource_records(signal, encoding, encoding.resource(resource), r, scopes)


def _resource_records(
    signal: Signal[Record],
    encoding: Encoding[Part, Record],
    resource: Resource | FieldError,
    r: int,
    scopes: Sequence[Part],
) -> Iterator[Located[Record]]:
    known = None if isinstance(resource, FieldError) else resource
    service, version = service_and_version(known) if known is not None else ("", None)
    sender = instance_and_host(known) if known is not None else {}
    for s, scope in enumerate(scopes):
        found_scope = encoding.scope(scope)
        told, origin = scope_attributes(found_scope), origin_of(known, found_scope)
        records = encoding.parts(scope, signal.records)
        if isinstance(records, FieldError):
            yield Located(records, path(signal, r, s))
            continue
        for i, part in enumerate(records):
            read = encoding.record(part)
            record = resource if isinstance(resource, FieldError) else read.record
            place = path(signal, r, s, i)
            unread, points = read.unread, read.points
            yield Located(record, place, service, version, sender, told, origin, unread, points, (r, s), known)


def origin_of(resource: Resource | None, scope: InstrumentationScope) -> str:
    """Return a digest of where records come from: all that their resource and their scope say."""
    found = hashlib.blake2b(digest_size=16)
    for part in (resource or Resource(), scope):
        written = part.SerializeToString(deterministic=True)
        found.update(len(written).to_bytes(8) + written)
    return found.hexdigest()


def path(signal: Signal[Any], *places: int) -> Callable[[], str]:
    """Return a function for the path of a resource, scope or record. It is called only if something is refused."""
    return lambda: _path(signal, places)


def _path(signal: Signal[Any], places: Sequence[int]) -> str:
    names = (signal.resources, signal.scopes, signal.records)
    return ".".join(f"{camel(name)}[{place}]" for name, place in zip(names, places, strict=False))


def camel(name: str) -> str:
    """Convert a protobuf field name to its camelCase name in JSON."""
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)
