"""Parse times as senders write them to seconds since the epoch."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.written_times.reading import whole

FUTURE_ALLOWED_SECONDS = 3600.0
"""A sender's clock may be ahead by this much. A later time is an error."""

EARLIEST = 946_684_800.0
"""The year 2000. An earlier time is an error, such as a zero or a wrong unit."""

Zoneless = Callable[[datetime], float]
"""Says which moment, in seconds since the epoch, a time without a zone means. May raise OverflowError."""

_MILLISECONDS_FROM = 1e11
_MICROSECONDS_FROM = 1e14
_NANOSECONDS_FROM = 1e17
_LARGEST = 1e20

_EPOCH_IN_TEXT = re.compile(
    r"\s*\+?(?:(?:\d{9,10}|\d{12,13}|\d{15,16}|\d{18,19})(?:[.,]\d{1,9})?|[1-9]\.\d{1,18}[eE]\+?(?:9|1[0-8]))\s*"
)
"""Seconds to nanoseconds since 1970 as text. Dates without separators, such as 20260207, have other lengths."""

_DOTNET_DATE = re.compile(r"\\?/Date\((\d{9,19})(?:[+-]\d{4})?\)\\?/")
_MOST_PARTS = 7


def as_utc(written: datetime) -> float:
    """Read a time without a zone as UTC: the rule where nothing is known of the sender's zone."""
    return written.replace(tzinfo=UTC).timestamp()


def parse_time(value: object, *, now: float, field: str, zoneless: Zoneless = as_utc) -> float:
    """Parse ISO 8601, the other forms in which times are written, or a number of s, ms, us or ns, also as text.

    The unit of a number is recognised by its size.

    zoneless: what a text without a zone means. Raises FieldError if the value is not a time, is in the far future or
    before the year 2000.
    """
    return check_time(parse_seconds(value, now=now, field=field, zoneless=zoneless), now=now, field=field)


def parse_seconds(value: object, *, now: float, field: str, zoneless: Zoneless = as_utc) -> float:
    """Parse a time as `parse_time` does, however implausible it is. Raises FieldError if the value is not a time."""
    if isinstance(value, str):
        return _text(value, now, field, zoneless)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _epoch(value, field)
    parts = _parts(value)
    if parts is not None:
        return parts if isinstance(parts, float) else _iso(parts, now, field, zoneless)
    raise FieldError(field, "must be an ISO 8601 text or a number of seconds or milliseconds since 1970")


def _text(text: str, now: float, field: str, zoneless: Zoneless) -> float:
    if text[4:5] != "-" and text.isascii():
        if _EPOCH_IN_TEXT.fullmatch(text):
            return _epoch(float(text.replace(",", ".")), field)
        if "Date(" in text and (dotnet := _DOTNET_DATE.fullmatch(text.strip())):
            return _epoch(int(dotnet[1]), field)
    return _iso(text, now, field, zoneless)


def _parts(value: object) -> float | str | None:
    """Return the time in an object or an array, as MongoDB, protobuf, Log4j and Jackson write them; None if it is none.

    {"$date": …}; {"seconds": 1770465600, "nanos": 5}; {"epochSecond": …, "nanoOfSecond": …}; [2026, 2, 7, 12, 0, 0, 5].
    """
    if isinstance(value, Mapping):
        within = value.get("$date")
        if isinstance(within, str):
            return within
        if isinstance(within, int | float):
            return _epoch(within, "$date")
        seconds = value.get("seconds", value.get("epochSecond"))
        nanos = value.get("nanos", value.get("nanoOfSecond", 0))
        if isinstance(seconds, int) and isinstance(nanos, int):
            return seconds + nanos / 1e9
    if isinstance(value, list) and 5 <= len(value) <= _MOST_PARTS and all(type(part) is int for part in value):
        year, month, day, hour, minute, *others = value
        second, nanos = [*others, 0, 0][:2]
        return f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}"
    return None


def check_time(seconds: float, *, now: float, field: str) -> float:
    """Return the seconds if they are a plausible time. Raises FieldError otherwise."""
    if not EARLIEST <= seconds <= now + FUTURE_ALLOWED_SECONDS:
        if not math.isfinite(seconds):
            raise FieldError(field, "is not a finite number")
        if seconds < EARLIEST:
            raise FieldError(field, "lies before the year 2000")
        hours = f"{(seconds - now) / 3600:,.1f}".removesuffix(".0")
        raise FieldError(
            field, f"lies in the future, by {hours} h: is the clock right, and does the time name its zone?"
        )
    return seconds


def _iso(text: str, now: float, field: str, zoneless: Zoneless) -> float:
    try:
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            found = whole(text, now=now)
            if found is None:
                raise
            parsed = found
        return parsed.timestamp() if parsed.tzinfo else zoneless(parsed)
    except (ValueError, OverflowError) as error:
        raise FieldError(field, f"{text[:50]!r} is not an ISO 8601 time, such as 2026-02-07T12:00:00Z") from error


def _epoch(value: float, field: str) -> float:
    # A larger integer may not even fit into a float.
    if abs(value) > _LARGEST:
        raise FieldError(field, "is too large a number")
    if value < _MILLISECONDS_FROM:
        return float(value)
    if value < _MICROSECONDS_FROM:
        return value / 1e3
    return value / 1e6 if value < _NANOSECONDS_FROM else value / 1e9
