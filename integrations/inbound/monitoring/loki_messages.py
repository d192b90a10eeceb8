"""The protobuf message class of Loki's push request, built at runtime.

The fields: https://github.com/grafana/loki/blob/main/pkg/push/push.proto
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

_FIELD = descriptor_pb2.FieldDescriptorProto
_TIMESTAMP = ".google.protobuf.Timestamp"


@cache
def push_request() -> type[Any]:
    """Return the message class. Streams have `labels` and `entries`.

    `labels` is `{app="shop"}`; an entry has `timestamp`, `line` and `structuredMetadata`.
    """
    file = descriptor_pb2.FileDescriptorProto(name="argux/loki_push.proto", package="argux.loki", syntax="proto3")
    file.dependency.append(timestamp_pb2.DESCRIPTOR.name)
    _add(file, "PushRequest", [("streams", 1, "Stream", True)])
    _add(file, "Stream", [("labels", 1, "", False), ("entries", 2, "Entry", True)])
    entry = [("timestamp", 1, _TIMESTAMP, False), ("line", 2, "", False), ("structuredMetadata", 3, "Label", True)]
    _add(file, "Entry", entry)
    _add(file, "Label", [("name", 1, "", False), ("value", 2, "", False)])
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("argux.loki.PushRequest"))


def _add(file: descriptor_pb2.FileDescriptorProto, name: str, fields: list[tuple[str, int, str, bool]]) -> None:
    """Add one message. Each field is (name, number, message type or "" for text, whether it is repeated)."""
    message = file.message_type.add(name=name)
    for field, number, kind, is_repeated in fields:
        message.field.add(
            name=field,
            number=number,
            label=_FIELD.LABEL_REPEATED if is_repeated else _FIELD.LABEL_OPTIONAL,
            type=_FIELD.TYPE_MESSAGE if kind else _FIELD.TYPE_BYTES,
            type_name=(kind if kind.startswith(".") else f".argux.loki.{kind}") if kind else None,
        )
