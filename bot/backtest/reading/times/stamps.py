"""Times as exports, spreadsheets, logs and scripts write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from bot.backtest.reading.options import DateOrder
from bot.backtest.reading.times.month_names import MONTHS
from bot.backtest.reading.times.tidied import begin_of, tidied, without_weekday
from bot.backtest.reading.times.zones import SEVERAL_MEANINGS, zone_of

_SECONDS_FROM, _SECONDS_UNTIL = 631_152_000.0, 7_258_118_400.0
"""Epoch numbers are times from 1990 to 2200, in whichever unit."""

_EPOCH_UNITS = (1.0, 1e3, 1e6, 1e9)
_EXCEL_DAYS = (32_874.0, 73_051.0)
"""1990 to 2100 as days of a spreadsheet, which counts from the end of 1899."""

_EXCEL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC).timestamp()
_DAY_SECONDS = 86_400.0

_MONTH = rf"(?P<mon>{'|'.join(MONTHS)})[^\W\d_]*\.?"
_ANY_MONTH = rf"(?:{'|'.join(MONTHS)})[^\W\d_]*\.?"
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
_WITHOUT_YEAR = re.compile(
    rf"(?:{_ANY_MONTH}\s*\d{{1,2}}|\d{{1,2}}\.?\s*{_ANY_MONTH}|\d{{1,2}}[./-]\d{{1,2}}\.?)(?:[T,\s]+\d{{1,2}}:.*)?",
    re.IGNORECASE,
)
_CLOCK = (
    r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,:](?P<part>\d{1,9}))?)?)?"
    r"\s*(?P<half>[ap]\.?\s?m\.?(?![^\W\d_]))?(?![\d:])"
)
_REST = rf"(?!\d)(?:(?:\s*[T,:]\s*|\s+(?:at\s+|um\s+|[-@]\s+)?){_CLOCK})?(?P<zone>.*)"
_NUMERIC = re.compile(r"(?P<a>\d{1,2})(?P<mark>[-/. ])(?P<b>\d{1,2})(?P=mark)(?P<y>\d{4}|\d{2})(?!\d)")
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})(?:[-/.](?P<d>\d{{1,2}}))?{_REST}",
        rf"{_NUMERIC.pattern}{_REST}",
        rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[-/. ]*{_MONTH}[-/, ]*(?P<y>\d{{4}}|\d{{2}}){_REST}",
        rf"{_MONTH}[-/ ]*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[-/, ]+(?P<y>\d{{4}}){_REST}",
        rf"{_MONTH}\s+(?P<d>\d{{1,2}})\s+{_CLOCK}\s*(?P<zone>[a-z+][\w+:/-]*)?\s+(?P<y>\d{{4}})",
        rf"(?P<y>\d{{4}})[-/ ]{_MONTH}[-/ ](?P<d>\d{{1,2}}){_REST}",
    )
)
_DATE_AND_HOUR = re.compile(r"(20[0-3]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])")
"""Such as `2026070213`, as web statistics write an hour. As an epoch number it would be a time from 2033 on."""

_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[T _-]?(\d\d)(\d\d)(\d\d)?(?:\.?(\d{1,6}))?)?(Z|[+-]\d\d:?\d\d)?")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3}){3,}")
"""An epoch number with commas, as a spreadsheet or a dashboard shows it."""

_LONGEST = 100
"""A longer cell is no time, not even an interval with the zone in words."""

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009]+")
_CLOCK_ALONE = re.compile(rf"{_CLOCK}(?P<zone>.*)", re.IGNORECASE)


class Unread(Enum):
    """Why a cell is no time."""

    NO_TIME = "with a time that cannot be read"
    ZONE = "in a time zone with several meanings"


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time that was read. seconds: UTC, or of the local clock as if it were UTC. zoned: which of the two.

    has_clock: whether it has an hour, else it is a date alone.
    """

    seconds: float
    zoned: bool
    has_clock: bool = True


@dataclass(frozen=True, slots=True)
class ShortDate:
    """A date of digits, the year last or in two digits. Its parts as they are written, and the mark between them."""

    one: str
    other: str
    last: str
    mark: str

    @property
    def first(self) -> int:
        """The number that stands first."""
        return int(self.one)

    @property
    def second(self) -> int:
        """The number in the middle."""
        return int(self.other)

    @property
    def may_begin_with_year(self) -> bool:
        """Whether all parts have two digits, and those behind the first can be a month and a day."""
        two_digits = len(self.one) == len(self.other) == len(self.last) == 2
        return two_digits and self.mark != "." and self.second <= 12 and int(self.last) <= 31

    @property
    def is_without_zeros(self) -> bool:
        """Whether day or month is written as a single digit."""
        return len(self.one) == 1 or len(self.other) == 1


def read_time(cell: str, order: DateOrder = DateOrder.DAY_FIRST) -> Stamp | Unread:
    """Read a time: ISO 8601, an epoch number, or a date in digits or words, with a clock or without; 1970 to 2200."""
    text = cell.strip()
    found = _read(text, order) if len(text) <= _LONGEST else Unread.NO_TIME
    is_other = isinstance(found, Stamp) and not 0 <= found.seconds < _SECONDS_UNTIL
    return Unread.NO_TIME if is_other else found


def _read(text: str, order: DateOrder) -> Stamp | Unread:
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if is_plain_number(text):
        hour = _DATE_AND_HOUR.fullmatch(text)
        if hour:
            return _from_words(dict(zip(("y", "m", "d", "hour"), hour.groups(), strict=True)), DateOrder.DAY_FIRST)
        return _from_number(float(text)) or _compact(text) or Unread.NO_TIME
    try:
        return _stamp(datetime.fromisoformat(text), has_clock=len(text) > len("2026-07-02"))
    except ValueError:
        pass
    text = _WEEKDAY.sub("", _SPACES.sub(" ", text).strip(), count=1)
    tidy = tidied(text)
    for one in (text, tidy, begin_of(tidy), without_weekday(tidy)):
        found = _from_form(one, order) if one else None
        if found is not None:
            return found
    return Unread.NO_TIME


def _from_form(text: str, order: DateOrder) -> Stamp | Unread | None:
    """Return the time of a text in one of the forms; None for any other, or why it is none."""
    if is_plain_number(text):
        return _from_number(float(text))
    found: Stamp | Unread | None = None
    for form in _FORMS:
        match = form.fullmatch(text)
        found = _from_words(match.groupdict(), order) if match else None
        if match:
            break
    return _compact(text) if found in (None, Unread.NO_TIME) else found


def excel_time(cell: str) -> Stamp | None:
    """Return the time of a spreadsheet's number of days, or None."""
    text = cell.strip().replace(",", ".")
    if not is_plain_number(text):
        return None
    days = float(text)
    if not _EXCEL_DAYS[0] <= days < _EXCEL_DAYS[1]:
        return None
    return Stamp(round((_EXCEL_EPOCH + days * _DAY_SECONDS) * 1000) / 1000, zoned=False)


def short_date(cell: str) -> ShortDate | None:
    """Return the parts of a date of digits such as `02/07/2026`, or None for another form."""
    match = _NUMERIC.match(_WEEKDAY.sub("", cell.strip(), count=1))
    return ShortDate(match["a"], match["b"], match["y"], match["mark"]) if match else None


def is_plain_number(cell: str) -> bool:
    """Return whether a cell is a number of digits alone, such as epoch seconds."""
    return _NUMBER.fullmatch(cell.strip()) is not None


def is_clock(cell: str) -> bool:
    """Return whether a cell is a time of day without a date."""
    match = _CLOCK_ALONE.fullmatch(_SPACES.sub(" ", cell.strip())) if len(cell) <= _LONGEST else None
    if match is None or (match["minute"] is None and match["half"] is None):
        return False
    zone = match["zone"].strip()
    return not zone or zone_of(zone) is not None


def is_without_year(cell: str) -> bool:
    """Return whether a cell is a date without its year, as dashboards shorten it: `Jul 2, 11:00`, `02.07. 11:00`."""
    return len(cell) <= _LONGEST and _WITHOUT_YEAR.fullmatch(cell.strip()) is not None


def _stamp(moment: datetime, *, has_clock: bool) -> Stamp:
    zoned = moment.tzinfo is not None
    return Stamp((moment if zoned else moment.replace(tzinfo=UTC)).timestamp(), zoned, has_clock)


def _from_number(number: float) -> Stamp | None:
    for unit in _EPOCH_UNITS:
        if _SECONDS_FROM <= number / unit < _SECONDS_UNTIL:
            return Stamp(number / unit, zoned=True)
    return None


def _compact(text: str) -> Stamp | None:
    match = _COMPACT.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, part, zone = match.groups()
    words = {"y": year, "m": month, "d": day, "hour": hour, "minute": minute, "second": second, "part": part}
    found = _from_words({**words, "zone": zone}, DateOrder.DAY_FIRST)
    return found if isinstance(found, Stamp) else None


def _from_words(words: dict[str, str | None], order: DateOrder) -> Stamp | Unread:
    """Return the time of the named parts of a form."""
    zone_text = (words.get("zone") or "").strip()
    zone = zone_of(zone_text) if zone_text else None
    if zone_text and zone is None:
        return Unread.ZONE if zone_text.strip("()[]").upper() in SEVERAL_MEANINGS else Unread.NO_TIME
    year, month, day = _date(words, order)
    hour, later = _hour(words)
    try:
        moment = datetime(
            year,
            month,
            day,
            hour,
            int(words.get("minute") or 0),
            int(words.get("second") or 0),
            int(f"{words.get('part') or 0:0<6}"[:6]),
            tzinfo=zone,
        )
    except ValueError:
        return Unread.NO_TIME
    return _stamp(moment + later, has_clock=words.get("hour") is not None)


def _date(words: dict[str, str | None], order: DateOrder) -> tuple[int, int, int]:
    year = int(words["y"] or 0)
    year += 2000 if year < 100 else 0
    if words.get("a"):
        first, second = int(words["a"] or 0), int(words["b"] or 0)
        if order is DateOrder.YEAR_FIRST and year < 2100 and len(words["y"] or "") == 2:
            return 2000 + first, second, year - 2000
        return (year, second, first) if order is not DateOrder.MONTH_FIRST else (year, first, second)
    name = words.get("mon")
    month = MONTHS[name.lower()] if name else int(words["m"] or 0)
    return year, month, int(words.get("d") or 1)


def _hour(words: dict[str, str | None]) -> tuple[int, timedelta]:
    """Return the hour from 0 to 23, and what to add for 24:00. An hour that cannot be is returned as it is."""
    hour, half = int(words.get("hour") or 0), (words.get("half") or "").lower()[:1]
    if half and not 1 <= hour <= 12:
        # A clock of 24 hours with its half said again: `13:00 PM`, `00:15 AM`.
        return hour if (half == "p" and 12 < hour < 24) or (half == "a" and hour == 0) else 99, timedelta()
    if half:
        return hour % 12 + (12 if half == "p" else 0), timedelta()
    if hour == 24 and not int(words.get("minute") or 0) and not int(words.get("second") or 0):
        return 0, timedelta(days=1)
    return hour, timedelta()
