"""What a reader answers: the records it understood, and which of the others were refused and why.

PermanentError
└── PayloadError              the whole body cannot be read; `field` names the place where one is known
    └── PayloadTooLargeError  it is larger than the door allows, perhaps only after decompression
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from integrations.errors import PermanentError

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Rejection:
    """One record refused: `index` is its place in the batch, `field` the path at fault ("[1].properties.timestamp")."""

    index: int
    field: str
    message: str


@dataclass(slots=True)
class Parsed(Generic[Record]):
    """A batch as read; one bad record never loses the good ones."""

    records: list[Record] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)


def refused(index: int, place: str, error: FieldError) -> Rejection:
    """The rejection of the record at `place`, for what is wrong within it."""
    return Rejection(index, f"{place}.{error.field}" if error.field else place, error.message)


class PayloadError(PermanentError):
    """The whole body cannot be read."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__("Request body", f"{field}: {message}" if field else message)
        self.field = field


class PayloadTooLargeError(PayloadError):
    """The body is larger than the door allows."""


class FieldError(Exception):
    """One field of one record is wrong; a reader turns it into a Rejection."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message
