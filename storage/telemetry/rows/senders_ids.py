"""Store senders' ids compactly: a UUID or a hexadecimal digest spells out 16 bytes in 36 or 32 characters.

Every id is stored in its record and again in a unique index; spelled out it makes up a third of a small event.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Dialect, LargeBinary, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

# Markers for the first byte: these bytes never occur in UTF-8 text.
_UUID, _HEXADECIMAL = b"\xfe", b"\xff"
_SHORT = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|(?:[0-9a-f]{2}){8,}")


def shortened(identifier: str) -> bytes | None:
    """Encode a lower-case UUID, or at least 8 bytes of lower-case hexadecimal, as bytes; None for any other text."""
    matched = _SHORT.fullmatch(identifier)
    if matched is None:
        return None
    return (_UUID if matched[1] else _HEXADECIMAL) + bytes.fromhex(identifier.replace("-", ""))


def lengthened(stored: bytes) -> str:
    """Decode what `shortened` encoded; decode other bytes as UTF-8."""
    if stored[:1] == _UUID:
        digits = stored[1:].hex()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    if stored[:1] == _HEXADECIMAL:
        return stored[1:].hex()
    return stored.decode()


class SendersId(TypeDecorator[str]):
    """A text column that is stored compactly. Equality look-ups work; the sort order is not that of the texts.

    PostgreSQL stores bytes. SQLite stores bytes for UUIDs and hexadecimal ids, and text for all other ids.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use a bytes column on PostgreSQL, a text column on SQLite."""
        return dialect.type_descriptor(LargeBinary() if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Encode a value for storage."""
        if value is None:
            return None
        short = shortened(value)
        if short is not None:
            return short
        return value.encode() if dialect.name == "postgresql" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Decode a value to the text that the sender wrote."""
        return lengthened(value) if isinstance(value, bytes) else value
