"""Parse durations and times that people write: "2h", "90m", "2026-03-29 02:30" in the team's time zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(d|h|m|min)(?![a-z])", re.IGNORECASE)
_SECONDS = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "min": 60.0}
LONGEST = timedelta(days=365)
EARLIEST_YEAR, LATEST_YEAR = 1970, 9000


class NotATimeError(ValueError):
    """The text is not a valid time or duration; the message explains the format."""


def duration(text: str) -> timedelta:
    """Parse "2h", "90m", "1h 30m", "2d". Raise NotATimeError for anything else, for zero, and for more than a year."""
    parts = _PART.findall(text)
    rest = _PART.sub("", text).strip()
    if not parts or rest:
        raise NotATimeError(f"{text!r} is no length of time. Write it as 45m, 2h, 1h30m or 2d.")
    length = timedelta(seconds=min(sum(float(number) * _SECONDS[unit.lower()] for number, unit in parts), 1e10))
    if length <= timedelta(0) or length > LONGEST:
        raise NotATimeError(f"{text!r} is not between a minute and a year. Write it as 45m, 2h, 1h30m or 2d.")
    return length


def instant(text: str, zone: ZoneInfo) -> datetime:
    """Parse "2026-03-29 22:00", in the team's zone unless the text names one. Return it aware, in UTC.

    Raise NotATimeError for a local time that the clocks skip. A local time that occurs twice means the first one.
    """
    try:
        written = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise NotATimeError(f"{text!r} is no time. Write it as 2026-02-07 22:00.") from error
    return local_instant(written, zone)


def local_instant(written: datetime, zone: ZoneInfo) -> datetime:
    """Convert a time to UTC; a naive time is in the team's zone.

    Raise NotATimeError for a local time that the clocks skip, and for a year outside EARLIEST_YEAR to LATEST_YEAR.
    """
    if not EARLIEST_YEAR <= written.year <= LATEST_YEAR:
        raise NotATimeError(f"The year {written.year} is not between {EARLIEST_YEAR} and {LATEST_YEAR}.")
    if written.tzinfo is not None:
        return written.astimezone(UTC)
    local = written.replace(tzinfo=zone)
    at = local.astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != written:
        raise NotATimeError(f"{written:%Y-%m-%d %H:%M} does not exist in {zone.key}: the clocks skip it.")
    return at
