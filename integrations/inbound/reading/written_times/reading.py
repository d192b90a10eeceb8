"""Read a time as it is written, in any form of `forms`, with its zone if it names one.

What stays open is decided by the time of arrival: of a year that is missing, of 02/07 and of the zones called CST, the
meaning counts that is just now, else the latest that is not in the future.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from integrations.inbound.reading.written_times.forms import ABBREVIATIONS, MONTH_NAMES, OF_LINES, WHOLE

EARLIEST_YEAR = 2000
_AHEAD = timedelta(seconds=60)
_JUST_NOW = timedelta(minutes=10)
_WEEK = timedelta(days=8)
_DAY = timedelta(days=1)
_SEARCHED = 300
_LONGEST = 100
_TAI64 = 2**62 + 10
"""What multilog and s6-log add to the seconds since 1970."""

_DATE_DIGITS = re.compile(r"\d[\d:./-]|\d [A-Z]")
"""Some of it is in every date with a time of day."""

_Parts = Mapping[str, str | None]


def at_start(line: str, *, now: float) -> datetime | None:
    """Return the time that a log line begins with; None without one."""
    start = line[:_SEARCHED]
    if _DATE_DIGITS.search(start) is None:
        return None
    found = next((match for form in OF_LINES if (match := form.match(start))), None)
    return None if found is None else _read(found.groupdict(), now)


def whole(text: str, *, now: float) -> datetime | None:
    """Return the time that a text is; None if it is none, or not only a time."""
    bare = text.strip()
    if not 10 <= len(bare) <= _LONGEST:
        return None
    found = next((match for form in WHOLE if (match := form.match(bare))), None)
    return None if found is None else _read(found.groupdict(), now)


def _read(parts: _Parts, now: float) -> datetime | None:
    try:
        if parts.get("epoch") or parts.get("tai"):
            return _counted(parts, now)
        readings = [*_readings(parts, now)]
    except (ValueError, KeyError, OverflowError):
        return None
    return _likeliest(readings, now) if readings else None


def _counted(parts: _Parts, now: float) -> datetime | None:
    """Return a time in seconds, milliseconds and so on since 1970, unless it is another number of as many digits."""
    epoch, tai = parts.get("epoch"), parts.get("tai")
    if tai:
        return datetime.fromtimestamp(int(tai[:16], 16) - _TAI64 + int(tai[16:], 16) / 1e9, UTC)
    digits, _, fraction = (epoch or "").partition(".")
    seconds = int(digits[:10]) + float(f"0.{digits[10:]}{fraction}" if digits[10:] or fraction else 0)
    found = datetime.fromtimestamp(seconds, UTC)
    arrived = datetime.fromtimestamp(now, UTC)
    return found if arrived - timedelta(days=400) < found <= arrived + _AHEAD else None


def _readings(parts: _Parts, now: float) -> Iterator[datetime]:
    """Yield all times that may be meant, the commonest first. Raises ValueError or KeyError if there is none."""
    hour, minute, second, over = _clock(parts)
    microsecond = int((parts.get("fraction") or "")[:6].ljust(6, "0"))
    zones = _zones(parts.get("zone"))
    for year, month, day in _dates(parts, now):
        for zone in zones:
            with suppress(ValueError):
                found = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=zone)
                yield found + over if over else found


def _clock(parts: _Parts) -> tuple[int, int, int, timedelta | None]:
    """Return hour, minute, second and what is to be added: for a leap second, and for 24:00, the next midnight."""
    hour, minute, second = int(parts["hour"] or 0), int(parts["minute"] or 0), int(parts.get("second") or 0)
    half = parts.get("half")
    if half and hour <= 12:
        hour = hour % 12 + 12 * (half in "Pp")
    if second == 60:
        return hour, minute, 59, timedelta(seconds=1)
    if hour == 24 and not minute and not second:
        return 0, 0, 0, timedelta(days=1)
    return hour, minute, second, None


def _dates(parts: _Parts, now: float) -> Iterable[tuple[int, int, int]]:
    if parts.get("first"):
        return _dates_in_any_order(parts)
    month = str(parts["month"])
    number = int(month) if month.isdecimal() else MONTH_NAMES.index(month.lower()[:3]) + 1
    year, day = parts.get("year") or parts.get("year_at_end"), int(parts["day"] or 0)
    if year:
        return [(_full(year), number, day)]
    this_year = datetime.fromtimestamp(now, UTC).year
    return [(this_year, number, day), (this_year - 1, number, day), (this_year + 1, number, day)]


def _dates_in_any_order(parts: _Parts) -> list[tuple[int, int, int]]:
    """Return the readings of 07.02.2026, 2/7/2026 and 26/02/07. With dots the day comes first, with PM the month."""
    first, second, third = (parts[name] or "" for name in ("first", "second_part", "third"))
    day_first = (_full(third), int(second), int(first))
    month_first = (_full(third), int(first), int(second))
    if parts["dash"] == ".":
        return [day_first]
    orders = [month_first, day_first] if parts["dash"] == "/" else [day_first, month_first]
    if parts.get("half"):
        return [month_first, day_first]
    return orders if len(third) == 4 or len(first) != 2 else [*orders, (_full(first), int(second), int(third))]


def _full(year: str) -> int:
    """Return a year of two or four digits."""
    return int(year) + 2000 if len(year) == 2 else int(year)


def _zones(written: str | None) -> list[tzinfo | None]:
    if not written:
        return [None]
    if written in ABBREVIATIONS:
        return [timezone(timedelta(hours=hours)) for hours in ABBREVIATIONS[written]]
    if "/" in written:
        return [_place(written)]
    digits = written.replace("UTC", "").replace("GMT", "").replace("\u2212", "-").replace(":", "").strip("Zz")
    if not digits:
        return [UTC]
    offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:] or 0))
    return [timezone(-offset if digits[0] == "-" else offset)]


@lru_cache(maxsize=64)
def _place(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return None


def _likeliest(readings: list[datetime], now: float) -> datetime | None:
    """Return the reading that is just now, else the latest that is not in the future, else the first."""
    if len(readings) == 1:
        return readings[0] if EARLIEST_YEAR <= readings[0].year <= datetime.fromtimestamp(now, UTC).year + 2 else None
    arrived = datetime.fromtimestamp(now, UTC)
    ahead = {reading: (reading if reading.tzinfo else reading.replace(tzinfo=UTC)) - arrived for reading in readings}
    near = [reading for reading in readings if abs(ahead[reading]) <= _JUST_NOW]
    # A time without a zone may be up to 14 hours ahead of Greenwich.
    past = [reading for reading in readings if ahead[reading] <= (_AHEAD if reading.tzinfo else _DAY)]
    recent = [reading for reading in past if ahead[reading] >= -_WEEK]
    return next(iter([*near, *recent]), None) or max(past, key=lambda one: ahead[one], default=readings[0])
