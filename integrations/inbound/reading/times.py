"""Parse times as senders write them to seconds since the epoch."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from integrations.inbound.reading.records import FieldError

FUTURE_ALLOWED_SECONDS = 3600.0
"""A sender's clock may be ahead by this much. A later time is an error."""

EARLIEST = 946_684_800.0
"""The year 2000. An earlier time is an error, such as a zero or a wrong unit."""

_MILLISECONDS_FROM = 1e11
_MICROSECONDS_FROM = 1e14
_NANOSECONDS_FROM = 1e17
_LARGEST = 1e20


def parse_time(value: object, *, now: float, field: str) -> float:
    """Parse ISO 8601 (UTC if it has no zone), or a number of s, ms, us or ns (the unit is recognised by its size).

    Raises FieldError if it is not a time, is in the far future or before the year 2000.
    """
    if isinstance(value, str):
        seconds = _iso(value, field)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = _epoch(value, field)
    else:
        raise FieldError(field, "must be an ISO 8601 text or a number of seconds or milliseconds since 1970")
    return check_time(seconds, now=now, field=field)


def check_time(seconds: float, *, now: float, field: str) -> float:
    """Return the seconds if they are a plausible time. Raises FieldError otherwise."""
    if not EARLIEST <= seconds <= now + FUTURE_ALLOWED_SECONDS:
        if not math.isfinite(seconds):
            raise FieldError(field, "is not a finite number")
        if seconds < EARLIEST:
            raise FieldError(field, "lies before the year 2000")
        raise FieldError(field, "lies in the future")
    return seconds


def _iso(text: str, field: str) -> float:
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
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
