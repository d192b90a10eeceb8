"""OTLP as JSON: protobuf's JSON mapping, except that ids are hex.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from integrations.inbound.otlp.parts import Form, Read, Record, Signal, camel
from integrations.inbound.reading.records import FieldError

_HEX_IDS = ("traceId", "spanId", "parentSpanId")
_UNREAD = ("links", "events", "exemplars")
_TREATED = frozenset(_HEX_IDS + _UNREAD)
_POINTS = ("dataPoints", "data_points")
_LONGEST_MESSAGE = 200


def json_form(signal: Signal[Record]) -> Form[Any, Record]:
    """How a signal's requests are written in JSON; names may be protobuf's own."""
    return Form(_parts, _resource, lambda fields: _record(signal, fields))


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


def _record(signal: Signal[Record], fields: Any) -> Read[Record]:
    fields, kind, points = _without_points(signal, fields)
    record = signal.record()
    error = _fill(record, fields)
    if error is not None:
        return Read(error, points=len(points))
    if not kind:
        return Read(record)
    held = getattr(record, kind).data_points
    faults = {place: _fill(held.add(), point) for place, point in enumerate(points)}
    return Read(record, {place: fault for place, fault in faults.items() if fault is not None}, len(points))


def _without_points(signal: Signal[Any], fields: Any) -> tuple[Any, str, list[Any]]:
    """(the record without its data points, the kind that holds them, they themselves)."""
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
    """Fill a message from its JSON; returns what is wrong with that."""
    if not isinstance(fields, dict):
        return FieldError("", "must be an object")
    try:
        read = fields if _TREATED.isdisjoint(fields) else _treated(fields)
        ParseDict(read, empty, ignore_unknown_fields=True)
    except FieldError as error:
        return error
    except (ParseError, RecursionError, OverflowError) as error:
        return FieldError("", _explained(error))
    return None


def _treated(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with their ids as protobuf has them, and without those that nobody reads. Raises FieldError."""
    ids = {name: _from_hex(fields[name], name) for name in _HEX_IDS if fields.get(name)}
    return {name: value for name, value in fields.items() if name not in _UNREAD} | ids


def _explained(error: Exception) -> str:
    """What protobuf said; where it only passes Python's own words on, in others."""
    first: BaseException = error
    while first.__cause__ is not None:
        first = first.__cause__
    message = str(error) or "cannot be read"
    if isinstance(first, TypeError | AttributeError | OverflowError):
        message = message.replace(str(first), "a value of the wrong type")
    return f"{message[:1].lower()}{message[1:_LONGEST_MESSAGE]}"


def _from_hex(value: Any, field: str) -> str:
    """An id in base64, as protobuf's own JSON mapping has it."""
    try:
        return base64.b64encode(bytes.fromhex(value)).decode("ascii")
    except (TypeError, ValueError) as error:
        raise FieldError(field, "is not hex") from error
