"""OTLP's attribute values, ids and times as plain ones."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from detection.types import JsonValue
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import plausible

TEXT_LIMIT = 8_000
NAME_LIMIT = 200
UNKNOWN_SERVICE = "unknown_service"
_DEEPEST = 8


def attributes(pairs: Iterable[KeyValue]) -> dict[str, JsonValue]:
    """Attributes by their names; the first of a name stands."""
    found: dict[str, JsonValue] = {}
    for pair in pairs:
        found.setdefault(text(pair.key, NAME_LIMIT), any_value(pair.value))
    return found


def any_value(value: AnyValue, depth: int = 0) -> JsonValue:
    """A value as JSON knows it: bytes become base64, what is nested absurdly deep becomes None."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return text(value.string_value)
    if kind == "int_value":
        return value.int_value
    if kind == "double_value":
        return _finite(value.double_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "bytes_value":
        return text(base64.b64encode(value.bytes_value).decode("ascii"))
    if depth >= _DEEPEST:
        return None
    if kind == "array_value":
        return [any_value(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {text(pair.key, NAME_LIMIT): any_value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    return None


def _finite(number: float) -> float | None:
    """JSON has no NaN and no infinity."""
    return number if abs(number) <= 1.7976931348623157e308 else None


def text(value: str, limit: int = TEXT_LIMIT) -> str:
    """Text that a relational store keeps: bounded, and without NUL."""
    return value[:limit].replace("\x00", "\ufffd")


def first_text(found: dict[str, JsonValue], *names: str) -> str | None:
    """The first of these attributes that is there and not empty: newer conventions first, older after."""
    for name in names:
        value = found.get(name)
        if value not in (None, ""):
            return str(value)
    return None


def first_integer(found: dict[str, JsonValue], *names: str) -> int | None:
    """The first of these attributes that is a whole number, written as a number or as text."""
    for name in names:
        value = found.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.isdecimal() and value.isascii():
            return int(value)
    return None


def service_and_version(resource: Resource) -> tuple[str, str | None]:
    """Who sent it: service.name and service.version."""
    found = attributes(resource.attributes)
    service = first_text(found, "service.name") or UNKNOWN_SERVICE
    version = first_text(found, "service.version")
    return service[:NAME_LIMIT], version[:NAME_LIMIT] if version else None


def instance_and_host(resource: Resource) -> dict[str, JsonValue]:
    """Which of a service's instances sent it, and from which machine, as attributes; what is not told is left out."""
    found = attributes(resource.attributes)
    instance = first_text(found, "service.instance.id", "k8s.pod.name", "container.id", "host.name")
    host = first_text(found, "host.name", "k8s.node.name")
    told = {"service.instance.id": instance, "host.name": host}
    return {name: value[:NAME_LIMIT] for name, value in told.items() if value}


def identifier(value: bytes, length: int, field: str) -> str:
    """An id as hex. Raises FieldError where its length is wrong or it is all zeros, which OTLP calls invalid."""
    if len(value) != length:
        raise FieldError(field, f"must have {length} bytes, not {len(value)}")
    if not any(value):
        raise FieldError(field, "is all zeros")
    return value.hex()


def nanoseconds(value: int, *, now: float, field: str) -> float:
    """A time in nanoseconds since 1970 as seconds. Raises FieldError where it cannot be true."""
    if not value:
        raise FieldError(field, "is missing")
    return plausible(value / 1e9, now=now, field=field)
