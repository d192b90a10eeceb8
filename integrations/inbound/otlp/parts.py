"""An OTLP request taken apart: resources, in them scopes, in them records; one that is wrong loses only itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from detection.types import JsonValue
from integrations.inbound.otlp.values import instance_and_host, service_and_version
from integrations.inbound.reading.records import FieldError, PayloadError

Record = TypeVar("Record", bound=Message)
Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Signal(Generic[Record]):
    """How one signal's requests are built: resources, in them scopes, in them records. Names are protobuf's.

    kinds: the fields of a record of which one holds its `data_points`.
    """

    request: Callable[[], Message]
    record: Callable[[], Record]
    resources: str
    scopes: str
    records: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Read(Generic[Record]):
    """One record, or why it cannot be read.

    unread: which of its data points cannot be read, by their places; points: how many an unreadable record has.
    """

    record: Record | FieldError
    unread: Mapping[int, FieldError] = field(default_factory=dict)
    points: int = 0


@dataclass(frozen=True, slots=True)
class Located(Generic[Record]):
    """One record of a request as read; who sent it, and where in the request it stands.

    sender: the instance and the machine, as otlp_values.instance_and_host has them. unread, points: as Read has them.
    """

    record: Record | FieldError
    path: Callable[[], str]
    service: str = ""
    version: str | None = None
    sender: Mapping[str, JsonValue] = field(default_factory=dict)
    unread: Mapping[int, FieldError] = field(default_factory=dict)
    points: int = 0

    def readable(self) -> Record:
        """The record. Raises FieldError."""
        if isinstance(self.record, FieldError):
            raise self.record
        return self.record


@dataclass(frozen=True, slots=True)
class Form(Generic[Part, Record]):
    """How requests are written down: what stands within a part under one of protobuf's names, and what a part says."""

    parts: Callable[[Part, str], Sequence[Part] | FieldError]
    resource: Callable[[Part], Resource | FieldError]
    record: Callable[[Part], Read[Record]]


def taken_apart(signal: Signal[Record], form: Form[Part, Record], request: Part) -> Iterator[Located[Record]]:
    """Every record, and every part that cannot be read. Raises PayloadError where the request itself cannot be."""
    resources = form.parts(request, signal.resources)
    if isinstance(resources, FieldError):
        raise PayloadError(resources.message, resources.field)
    for r, resource in enumerate(resources):
        scopes = form.parts(resource, signal.scopes)
        if isinstance(scopes, FieldError):
            yield Located(scopes, path(signal, r))
        else:
            yield from _of_resource(signal, form, form.resource(resource), r, scopes)


def _of_resource(
    signal: Signal[Record], form: Form[Part, Record], resource: Resource | FieldError, r: int, scopes: Sequence[Part]
) -> Iterator[Located[Record]]:
    known = None if isinstance(resource, FieldError) else resource
    service, version = service_and_version(known) if known is not None else ("", None)
    sender = instance_and_host(known) if known is not None else {}
    for s, scope in enumerate(scopes):
        records = form.parts(scope, signal.records)
        if isinstance(records, FieldError):
            yield Located(records, path(signal, r, s))
            continue
        for i, part in enumerate(records):
            read = form.record(part)
            record = resource if isinstance(resource, FieldError) else read.record
            yield Located(record, path(signal, r, s, i), service, version, sender, read.unread, read.points)


def path(signal: Signal[Any], *places: int) -> Callable[[], str]:
    """Where a resource, a scope of it or a record of that stands; written out only when something is refused."""
    return lambda: _path(signal, places)


def _path(signal: Signal[Any], places: Sequence[int]) -> str:
    names = (signal.resources, signal.scopes, signal.records)
    return ".".join(f"{camel(name)}[{place}]" for name, place in zip(names, places, strict=False))


def camel(name: str) -> str:
    """A field's name in JSON."""
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)
