"""Senders' ids in as few bytes as they need: a UUID or a hexadecimal digest spells out 16 bytes in 36 or 32 letters.

An id is in every record and once more in a unique index, so this is a third of what a small event takes.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

# No text in UTF-8 has these bytes.
_UUID, _HEXADECIMAL = b"\xfe", b"\xff"
_SHORT = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|(?:[0-9a-f]{2}){8,}")


def shortened(identifier: str) -> bytes | None:
    """A lower-case UUID or at least 8 bytes in lower-case hexadecimal, as bytes; None for any other text."""
    matched = _SHORT.fullmatch(identifier)
    if matched is None:
        return None
    return (_UUID if matched[1] else _HEXADECIMAL) + bytes.fromhex(identifier.replace("-", ""))


def lengthened(stored: bytes) -> str:
    """Read `shortened` back; other bytes are UTF-8."""
    if stored[:1] == _UUID:
        digits = stored[1:].hex()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    if stored[:1] == _HEXADECIMAL:
        return stored[1:].hex()
    return stored.decode()


class SendersId(TypeDecorator[str]):
    """Text that is stored short. Equal texts are stored equal, so look-ups work; its order is not that of the texts.

    PostgreSQL keeps bytes. SQLite keeps text or bytes in one column, and leaves other ids as they are.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Bytes on PostgreSQL."""
        return dialect.type_descriptor(LargeBinary() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """As it is stored."""
        if value is None:
            return None
        short = shortened(value)
        if short is not None:
            return short
        return value.encode() if dialect.name == "postgresql" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """As the sender wrote it."""
        return lengthened(value) if isinstance(value, bytes) else value
