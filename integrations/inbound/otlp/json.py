"""Read OTLP as JSON: protobuf's JSON mapping, except that ids are hexadecimal.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from integrations.inbound.otlp.parts import Encoding, ReadRecord, Record, Signal, camel
from integrations.inbound.reading.records import FieldError

_HEX_IDS = ("traceId", "spanId", "parentSpanId")
_IGNORED_FIELDS = ("links", "events", "exemplars")
_SPECIAL_FIELDS = frozenset(_HEX_IDS + _IGNORED_FIELDS)
_POINTS = ("dataPoints", "data_points")
_MESSAGE_LIMIT = 200


def json_encoding(signal: Signal[Record]) -> Encoding[Any, Record]:
    """Return the JSON encoding of a signal's requests. Field names may be camelCase or protobuf's own."""
    return Encoding(_parts, _resource, _scope, lambda fields: _record(signal, fields))


def _parts(holder: Any, name: str) -> list[Any] | FieldError:
    if not isinstance(holder, dict):
        return FieldError("", "must be an object")
    found = holder.get(camel(name), holder.get(name))
    if found is None:
        return []
    return found if isinstance(found, list) else FieldError(camel(name), "must be an array of objects")


def _resource(holder: Any) -> Resource | FieldError:
    resource = Resource()
    error = _fill(resource, holder.get("resource") or {})
    return resource if error is None else FieldError("resource", error.message)


def _scope(holder: Any) -> InstrumentationScope:
    scope = InstrumentationScope()
    fields = holder.get("scope") if isinstance(holder, dict) else None
    return scope if fields and _fill(scope, fields) is None else InstrumentationScope()


def _record(signal: Signal[Record], fields: Any) -> ReadRecord[Record]:
    fields, kind, points = _without_points(signal, fields)
    record = signal.record()
    error = _fill(record, fields)
    if error is not None:
        return ReadRecord(error, points=len(points))
    if not kind:
        return ReadRecord(record)
    held = getattr(record, kind).data_points
    faults = {place: _fill(held.add(), point) for place, point in enumerate(points)}
    return ReadRecord(record, {place: fault for place, fault in faults.items() if fault is not None}, len(points))


def _without_points(signal: Signal[Any], fields: Any) -> tuple[Any, str, list[Any]]:
    """Return (the record without its data points, the kind that holds them, the data points)."""
    for kind in signal.kinds if isinstance(fields, dict) else ():
        for name in (camel(kind), kind):
            data = fields.get(name)
            for points_name in _POINTS if isinstance(data, dict) else ():
                points = data.get(points_name)
                if isinstance(points, list):
                    rest = {key: value for key, value in data.items() if key != points_name}
                    return {**fields, name: rest}, kind, points
    return fields, "", []


def _fill(empty: Message, fields: Any) -> FieldError | None:
    """Fill a message from its JSON. Return the error if the JSON is invalid."""
    if not isinstance(fields, dict):
        return FieldError("", "must be an object")
    try:
        read = fields if _SPECIAL_FIELDS.isdisjoint(fields) else _prepared(fields)
        ParseDict(read, empty, ignore_unknown_fields=True)
    except FieldError as error:
        return error
    except (ParseError, RecursionError, OverflowError) as error:
        return FieldError("", _describe_error(error))
    return None


def _prepared(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with ids in protobuf's form and without the fields that we ignore. Raises FieldError."""
    ids = {name: _from_hex(fields[name], name) for name in _HEX_IDS if fields.get(name)}
    return {name: value for name, value in fields.items() if name not in _IGNORED_FIELDS} | ids


def _describe_error(error: Exception) -> str:
    """Return protobuf's error message, with a general text in place of Python's own error messages."""
    first: BaseException = error
    while first.__cause__ is not None:
        first = first.__cause__
    message = str(error) or "cannot be read"
    if isinstance(first, TypeError | AttributeError | OverflowError):
        message = message.replace(str(first), "a value of the wrong type")
    return f"{message[:1].lower()}{message[1:_MESSAGE_LIMIT]}"


def _from_hex(value: Any, field: str) -> str:
    """Convert a hexadecimal id to base64, which protobuf's JSON mapping expects. Raises FieldError."""
    try:
        return base64.b64encode(bytes.fromhex(value)).decode("ascii")
    except (TypeError, ValueError) as error:
        raise FieldError(field, "is not hex") from error
