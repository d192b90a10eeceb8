"""Convert OTLP's attribute values, ids and times to plain values."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from detection.types import JsonValue
from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import EARLIEST, check_time
from integrations.inbound.sources.names import service_of

TEXT_LIMIT = 8_000
NAME_LIMIT = 200
UNKNOWN_SERVICE = "unknown_service"
SCOPE_PREFIX = "otel.scope."
_MAX_DEPTH = 8
_FEWEST_NANOSECONDS = int(EARLIEST * 1e9)


def attributes(pairs: Iterable[KeyValue]) -> dict[str, JsonValue]:
    """Return attributes by name. Of several with one name, the first counts."""
    found: dict[str, JsonValue] = {}
    for pair in pairs:
        found.setdefault(text(pair.key, NAME_LIMIT), any_value(pair.value))
    return found


def any_value(value: AnyValue, depth: int = 0) -> JsonValue:
    """Convert a value to JSON: bytes become base64, values nested deeper than _MAX_DEPTH become None."""
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
    if depth >= _MAX_DEPTH:
        return None
    if kind == "array_value":
        return [any_value(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {text(pair.key, NAME_LIMIT): any_value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    return None


def _finite(number: float) -> float | None:
    """Return None for NaN and infinity, which JSON does not have."""
    return number if abs(number) <= 1.7976931348623157e308 else None


def text(value: str, limit: int = TEXT_LIMIT) -> str:
    """Return text that a relational store can hold: at most `limit` characters and no NUL."""
    return value[:limit].replace("\x00", "\ufffd")


def first_text(found: Mapping[str, JsonValue], *names: str) -> str | None:
    """Return the first of these attributes that is set and not empty. Name newer conventions before older ones."""
    for name in names:
        value = found.get(name)
        if value not in (None, ""):
            return str(value)
    return None


def first_integer(found: Mapping[str, JsonValue], *names: str) -> int | None:
    """Return the first of these attributes that is an integer, as a number or as text."""
    for name in names:
        value = found.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str) and value.isdecimal() and value.isascii():
            return int(value)
    return None


def service_and_version(resource: Resource) -> tuple[str, str | None]:
    """Return the sender's service and service.version: service.name, else what the platform calls the workload.

    A collector that reads files sends no service.name, but k8s.deployment.name, container.name and the like.
    """
    found = attributes(resource.attributes)
    service = service_of(found) or first_text(found, "service.name") or UNKNOWN_SERVICE
    version = first_text(found, "service.version")
    return service[:NAME_LIMIT], version[:NAME_LIMIT] if version else None


def instance_and_host(resource: Resource) -> dict[str, JsonValue]:
    """Return the sender's instance and host as attributes. Missing ones are left out."""
    found = attributes(resource.attributes)
    instance = first_text(found, "service.instance.id", "k8s.pod.name", "container.id", "host.name")
    host = first_text(found, "host.name", "k8s.node.name")
    told = {"service.instance.id": instance, "host.name": host}
    return {name: value[:NAME_LIMIT] for name, value in told.items() if value}


def scope_attributes(scope: InstrumentationScope) -> dict[str, JsonValue]:
    """Return what names a scope among those of one sender: its name and its attributes. Not its version, which changes.

    The names: https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/#instrumentationscope
    """
    name = {"name": text(scope.name, NAME_LIMIT)} if scope.name else {}
    return {f"{SCOPE_PREFIX}{key}": value for key, value in {**attributes(scope.attributes), **name}.items()}


def identifier(value: bytes, length: int, field: str) -> str:
    """Convert an id to hex. Raises FieldError if its length is wrong or if it is all zeros (invalid in OTLP)."""
    if len(value) != length:
        raise FieldError(field, f"must have {length} bytes, not {len(value)}")
    if not any(value):
        raise FieldError(field, "is all zeros")
    return value.hex()


def nanoseconds(value: int, *, now: float, field: str) -> float:
    """Convert nanoseconds since 1970 to seconds. Raises FieldError if the time is missing or not plausible."""
    if not value:
        raise FieldError(field, "is missing")
    return check_time(in_nanoseconds(value) / 1e9, now=now, field=field)


def in_nanoseconds(value: int) -> int:
    """Return a time in nanoseconds that some senders write in seconds, milliseconds or microseconds."""
    if value >= _FEWEST_NANOSECONDS:
        return value
    return next((value * by for by in (1_000, 1_000_000, 1_000_000_000) if value * by >= _FEWEST_NANOSECONDS), value)
