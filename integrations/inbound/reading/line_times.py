"""Find the time that a log line begins with, in the forms that loggers and servers write.

Most of them name no zone, and some no year.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

from integrations.inbound.reading.records import FieldError
from integrations.inbound.reading.times import Zoneless, as_utc, check_time

AHEAD_SECONDS = 60.0
"""A time without a zone that lies further in the future than this is not in UTC: its zone is east of it."""

EARLIEST_YEAR = 2000
_SEARCHED = 300
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,6})\d*)?"
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)(?![\w:]))?"
_NAME = r"(?P<month>[A-Z][a-z]{2})"
_ISO = rf"(?P<year>\d{{4}})(?P<dash>[-/])(?P<month>\d{{2}})(?P=dash)(?P<day>\d{{2}})[T ] ?{_TIME}{_ZONE}"
_NAMED = rf"(?P<day>\d{{1,2}})[-/ ]{_NAME}[-/ ](?P<year>\d{{4}})[: ]{_TIME}{_ZONE}"
_LEVEL = r"(?i:trace|debug|info|notice|warn|warning|error|err|severe|crit|critical|fatal)|[A-Z],"
_WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?"
_BEFORE = rf"[\[(<\"]{{0,3}}(?:(?:{_LEVEL}|{_WEEKDAY}|\d+:[A-Z]):?\s{{1,8}})?[\[(<\"]{{0,3}}"
"""A level or a weekday, brackets, or Redis's process and role may stand before the time."""

_FORMS = (
    # Log4j, Python, nginx, Go, PostgreSQL, Ruby: 2026-02-07 12:00:00,123 and 2026/02/07 12:00:00.
    re.compile(_BEFORE + _ISO),
    # Redis, Tomcat, BIND: 07 Feb 2026 12:00:00.123 and 07-Feb-2026 12:00:00.123.
    re.compile(_BEFORE + _NAMED),
    # Apache's errors and syslog's files: Sat Feb 07 12:00:00.123456 2026, and Feb  7 12:00:00.
    re.compile(rf"{_BEFORE}{_NAME} {{1,2}}(?P<day>\d{{1,2}}) {_TIME}(?: (?P<year>\d{{4}})\b)?{_ZONE}"),
    # java.util.logging: Feb 07, 2026 12:00:00 PM.
    re.compile(rf"{_BEFORE}{_NAME} (?P<day>\d{{1,2}}), (?P<year>\d{{4}}),? {_TIME}\s(?P<half>[AP]M)"),
    # klog and glog: E0207 12:00:00.123456.
    re.compile(rf"[IWEF](?P<month>\d{{2}})(?P<day>\d{{2}}) {_TIME}"),
    # 07.02.2026 12:00:00.
    re.compile(rf"{_BEFORE}(?P<day>\d{{2}})\.(?P<month>\d{{2}})\.(?P<year>\d{{4}}) {_TIME}{_ZONE}"),
    # .NET: 2/7/2026 12:00:00 PM.
    re.compile(rf"{_BEFORE}(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/(?P<year>\d{{4}}),? {_TIME}\s(?P<half>[AP]M)"),
    # logfmt: level=info ts=2026-02-07T12:00:00Z, and JSON: {"level": "info", "time": "2026-02-07 12:00:00"}.
    re.compile(rf'(?:[\w.]+=(?:"[^"]*"|\S*) ){{0,4}}(?:time|ts|timestamp|t)="?{_ISO}'),
    re.compile(rf'\{{.{{0,200}}?"(?:@timestamp|timestamp|time|ts|date)" ?: ?"{_ISO}'),
    # Access logs: 10.0.0.1 - - [07/Feb/2026:12:00:00 +0000].
    re.compile(rf".{{0,200}}?\[{_NAMED}\]"),
)
_READ_AS_UTC = re.compile(r"\[?\d{4}-")
"""The lines whose time is taken for UTC where nothing is known of the zone."""


def leading_time(line: str, *, now: float, zoneless: Zoneless | None = None) -> float:
    """Return the time that the line begins with, or `now` without one or where it is not plausible.

    zoneless: what a time without a zone means. Where that is not known, only times of the form of ISO 8601 are taken,
    as UTC, unless that lies in the future.
    """
    written = written_time(line, now=now)
    if written is None:
        return now
    try:
        if written.tzinfo is not None:
            return check_time(written.timestamp(), now=now, field="line")
        if zoneless is not None:
            return check_time(zoneless(written), now=now, field="line")
        return check_time(arriving(now)(written), now=now, field="line") if _READ_AS_UTC.match(line) else now
    except (FieldError, OverflowError):
        return now


def arriving(now: float) -> Zoneless:
    """Return the rule for times without a zone that came over the network: UTC, but `now` instead of the future."""

    def moment(written: datetime) -> float:
        seconds = as_utc(written)
        return now if seconds > now + AHEAD_SECONDS else seconds

    return moment


def written_time(line: str, *, now: float) -> datetime | None:
    """Return the time as it is written, with its zone if it has one. A missing year is the one nearest before `now`."""
    start = line[:_SEARCHED]
    found = next((match for form in _FORMS if (match := form.match(start))), None)
    if found is None:
        return None
    try:
        return _datetime(found.groupdict(), now)
    except (ValueError, KeyError, OverflowError):
        return None


def _datetime(part: Mapping[str, str | None], now: float) -> datetime:
    """Build the time. Raises ValueError or KeyError if there is no such month, day, hour or zone, or no such year yet.

    .NET writes a time that is not set as 0001-01-01, which no clock can count from 1970.
    """
    month, hour = str(part["month"]), int(part["hour"] or 0)
    if part.get("half"):
        hour = hour % 12 + (12 if part["half"] == "PM" else 0)
    fraction = (part.get("fraction") or "").ljust(6, "0")
    latest = datetime.fromtimestamp(now, UTC).replace(tzinfo=None) + timedelta(days=1)
    read = datetime(
        int(part.get("year") or latest.year),
        int(month) if month.isdecimal() else _MONTHS[month],
        int(part["day"] or 0),
        hour,
        int(part["minute"] or 0),
        int(part["second"] or 0),
        int(fraction),
        tzinfo=_zone(part.get("zone")),
    )
    if not EARLIEST_YEAR <= read.year <= latest.year + 1:
        raise ValueError(read.year)
    is_of_last_year = not part.get("year") and read.replace(tzinfo=None) > latest
    return read.replace(year=read.year - 1) if is_of_last_year else read


def _zone(written: str | None) -> timezone | None:
    if written is None:
        return None
    if written in ("Z", "UTC", "GMT"):
        return UTC
    digits = written[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
    return timezone(-offset if written[0] == "-" else offset)
