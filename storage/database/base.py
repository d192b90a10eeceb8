"""The declarative base of all tables, and column types: aware UTC datetimes and string enums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on every database. SQLite does not store the time zone, so it is restored on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; raise ValueError for a naive datetime, because a missing time zone is a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime: give it a timezone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Unreadable(dict[str, Any]):
    """An empty object, in place of a stored one that cannot be read."""


class ReadableJson(TypeDecorator[dict[str, Any]]):
    """A JSON object; what is stored and is none is read as `Unreadable`, so that its row can be read all the same."""

    impl = JSON
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], dict[str, Any] | None]:
        """Return the function that reads a stored value."""
        read = super().result_processor(dialect, coltype)

        def process(value: Any) -> dict[str, Any] | None:
            if value is None:
                return None
            try:
                found = value if read is None else read(value)
            except ValueError:
                return Unreadable()
            return found if isinstance(found, dict) else Unreadable()

        return process


def by_value(members: type[StrEnum], length: int) -> Enum:
    """Make a column type that stores an enum member's value as plain text and reads it back as the member."""
    return Enum(members, native_enum=False, length=length, values_callable=list)


class Base(DeclarativeBase):
    """The base of all tables, with one metadata. Constraint names are fixed, so migrations match on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}
