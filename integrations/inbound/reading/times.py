"""Moments as senders write them, as seconds since the epoch."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from integrations.inbound.reading.records import FieldError

FUTURE_ALLOWED_SECONDS = 3600.0
"""A sender's clock may run ahead by so much; beyond it the time is a mistake."""

EARLIEST = 946_684_800.0
"""The year 2000: an earlier time is a mistake, such as a zero or a wrong unit."""

_MILLISECONDS_FROM = 1e11
_MICROSECONDS_FROM = 1e14
_NANOSECONDS_FROM = 1e17
_LARGEST = 1e20


def moment(value: object, *, now: float, field: str) -> float:
    """ISO 8601 (UTC where no zone is given), or a number of seconds, ms, us or ns told apart by its size.

    Raises FieldError for what is no time, lies in the far future or before the year 2000.
    """
    if isinstance(value, str):
        seconds = _iso(value, field)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = _epoch(value, field)
    else:
        raise FieldError(field, "must be an ISO 8601 text or a number of seconds or milliseconds since 1970")
    return plausible(seconds, now=now, field=field)


def plausible(seconds: float, *, now: float, field: str) -> float:
    """The same seconds where they can be true; raises FieldError otherwise."""
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
    # Beyond this a whole number may not even fit into a float.
    if abs(value) > _LARGEST:
        raise FieldError(field, "is too large a number")
    if value < _MILLISECONDS_FROM:
        return float(value)
    if value < _MICROSECONDS_FROM:
        return value / 1e3
    return value / 1e6 if value < _NANOSECONDS_FROM else value / 1e9
