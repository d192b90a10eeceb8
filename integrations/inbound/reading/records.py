"""The result of a reader: the accepted records, and the rejections with their reasons.

PermanentError
└── PayloadError              the whole body cannot be read; `field` is the invalid field, if known
    └── PayloadTooLargeError  the body is larger than the door allows, perhaps only after decompression
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from integrations.errors import PermanentError

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refused record. `index` is its position in the batch, `field` the invalid path ("[1].properties.timestamp")."""

    index: int
    field: str
    message: str


@dataclass(slots=True)
class Parsed(Generic[Record]):
    """A batch that was read. An invalid record never affects the valid ones.

    beside: what the records say of what surrounds the services: edges and places of the service map, an orchestrator's
    events.
    """

    records: list[Record] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    beside: list[Any] = field(default_factory=list)


def rejection_at(index: int, place: str, error: FieldError) -> Rejection:
    """Return the rejection of the record at the path `place` for an invalid field in it."""
    return Rejection(index, f"{place}.{error.field}" if error.field else place, error.message)


class PayloadError(PermanentError):
    """The whole body cannot be read."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__("Request body", f"{field}: {message}" if field else message)
        self.field = field


class PayloadTooLargeError(PayloadError):
    """The body is larger than the door allows."""


class FieldError(Exception):
    """One field of one record is invalid. A reader turns this error into a Rejection."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
