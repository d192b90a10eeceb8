# ruff: noqa: RUF001 - Cyrillic letters look like Latin ones
"""Bring a time that is written in another manner of speaking into one of the forms that are read.

Spreadsheets and databases write clocks as `13.00`, `13h05`, `13時05分` and `下午1:00`, put words between the date and
the clock, and give an interval by both of its ends. Nothing is decided here: the order of day and month stays as it is.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

_EAST_ASIAN = {
    **dict.fromkeys("年月년월", "-"),
    **dict.fromkeys("日일", " "),
    **dict.fromkeys("時时点시分분", ":"),
    **dict.fromkeys("秒초", " "),
}
_SIGNS = str.maketrans(_EAST_ASIAN)
_HALVES = tuple(
    (re.compile(rf"(?:{words})\s*(\d[\d:.]*)"), rf"\1 {half}")
    for words, half in (("上午|午前|早上|오전", "AM"), ("下午|午後|晚上|오후", "PM"))
)
_WORDS = re.compile(
    r"(?<!\S)(?:uhr|de|del|à|às|kl\.?|kello|alle|ore|om|в|г\.?|года?|р\.?|godz\.?|o)(?=[\s,]|$)[\s,]*", re.IGNORECASE
)
_DATE = r"(?:\d{1,4}[-/. ](?:\d{1,2}|[^\W\d_]{3,})[-/. ]\d{1,4}|\d{8})"
_DATE_THEN_CLOCK = re.compile(rf"({_DATE})[_-](?=\d{{2}}[:.-]?\d{{2}})")
_CLOCK_WITH_MARKS = re.compile(
    r"(?<=[\sT,])(?P<hour>\d{1,2})(?P<mark>[.-])(?P<minute>\d{2})(?:(?P=mark)(?P<second>\d{2})(?P<part>[.,]\d+)?)?(?=\s|$)"
)
_CLOCK_WITH_H = re.compile(
    r"(?<=[\sT,])(\d{1,2})\s?h(?:\s?(\d{2})(?:\s?m(?:in)?)?(?:\s?(\d{2})\s?s(?:ec)?)?)?(?=\s|$)", re.IGNORECASE
)
_SPACED_DOTS = re.compile(r"(\d{4})\.\s*(\d{1,2})\.\s*(\d{1,2})\.(?!\d)")
_DAY_OF_YEAR = re.compile(r"(\d{4})-(\d{3})(?=[T ]|$)")
_ZONE_AGAIN = re.compile(r"(?<=[\dZ])\s*\[[\w/+:-]+\]\Z")
_EPOCH_IN_WORDS = re.compile(r"(?:@|\\?/Date\()(-?\d+(?:\.\d+)?)(?:[+-]\d{4})?(?:\)\\?/)?")
_DECIMAL_COMMA = re.compile(r"(\d{9,}),(\d{1,2}|\d{4,})")
_BOTH_ENDS = re.compile(
    r"(?P<begin>.*\d.*?)(?:\s+(?:[-\u2013\u2014]|to|bis|until)\s+|\s*(?:/|--)\s*(?=\d{4}-))(?P<end>\S.*)"
)
_LEADING_WORD = re.compile(r"[^\W\d_]{2,15}\.?,?\s+(?=\S)")


def tidied(text: str) -> str:
    """Return a time with colons in its clock and without words that say nothing, else as it is."""
    epoch = _EPOCH_IN_WORDS.fullmatch(text)
    if epoch:
        return epoch[1]
    decimal = _DECIMAL_COMMA.fullmatch(text)
    if decimal:
        return f"{decimal[1]}.{decimal[2]}"
    signs = text.translate(_SIGNS)
    if signs != text:
        text = re.sub(r":(?=\s*$)", "", re.sub(r"(?<=\d[-:])\s+(?=\d)", "", signs))
    for form, instead in _HALVES:
        text = form.sub(instead, text)
    text = _SPACED_DOTS.sub(r"\1-\2-\3", text)
    text = _DAY_OF_YEAR.sub(_as_date, text, count=1)
    text = _WORDS.sub(" ", text)
    text = _ZONE_AGAIN.sub("", _DATE_THEN_CLOCK.sub(r"\1 ", text, count=1))
    text = _CLOCK_WITH_H.sub(lambda found: ":".join([found[1], found[2] or "00", *filter(None, [found[3]])]), text)
    text = _CLOCK_WITH_MARKS.sub(_with_colons, text, count=1)
    return re.sub(r"\s+", " ", text).strip(" ,")


def begin_of(text: str) -> str | None:
    """Return the first end of an interval that is written by both, or None for anything else."""
    found = _BOTH_ENDS.fullmatch(text)
    return found["begin"].strip() if found else None


def without_weekday(text: str) -> str | None:
    """Return what stands behind a first word, which may be a day of the week in any language; None without one."""
    rest = _LEADING_WORD.sub("", text, count=1)
    return rest if rest != text else None


def _as_date(found: re.Match[str]) -> str:
    day = int(found[2])
    return (date(int(found[1]), 1, 1) + timedelta(days=day - 1)).isoformat() if 1 <= day <= 366 else found[0]


def _with_colons(found: re.Match[str]) -> str:
    clock = ":".join(filter(None, (found["hour"], found["minute"], found["second"])))
    return clock + (found["part"] or "").replace(",", ".")
