"""Parse time intervals written as START/END, both in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime

from detection.logs.diff import Window

LONGEST_DAYS = 35
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""No log is older or newer than this, and later arithmetic stays within the calendar's range."""


class IntervalError(ValueError):
    """A text that is not a valid interval; the message says how to write one."""


def read_interval(text: str) -> Window:
    """Parse "2026-02-07T11:00:00Z/2026-02-07T12:00:00Z"; a time without an offset is UTC. Raises IntervalError."""
    start, separator, end = text.partition("/")
    if not separator:
        raise IntervalError("write it as START/END, such as 2026-02-07T11:00:00Z/2026-02-07T12:00:00Z")
    window = Window(_moment(start), _moment(end))
    if window.until <= window.since:
        raise IntervalError("it ends before it begins")
    if window.until - window.since > LONGEST_DAYS * 86_400:
        raise IntervalError(f"it is longer than {LONGEST_DAYS} days")
    if window.since < EARLIEST.timestamp() or window.until > LATEST.timestamp():
        raise IntervalError(f"it must lie between {EARLIEST.year} and {LATEST.year}")
    return window


def _moment(text: str) -> float:
    try:
        # A plus sign that was not URL-encoded arrives as a space in a query.
        found = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text.strip())
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise IntervalError(f"{text.strip()!r} is no time, such as 2026-02-07T11:00:00Z") from error
