"""Find the column of the times, and that of the time of day where dates stand alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bot.backtest.reading.headings import TIME_NAMES, Table, is_time_name
from bot.backtest.reading.left_out import CsvError, quoted
from bot.backtest.reading.numbers import looks_like_a_number
from bot.backtest.reading.table import is_time
from bot.backtest.reading.times.stamps import (
    excel_time,
    is_clock,
    is_plain_number,
    is_without_year,
    read_time,
    short_date,
)

EXPECTED = (
    'a metric has the columns "timestamp" and "value" (or the time and others), '
    'a funnel "timestamp", "entries" and "conversions"'
)
_CLOCK_NAMES = (
    *("time", "hour", "clock", "time of day", "hr", "uhrzeit", "zeit", "hours", "hora", "heure", "ora", "tijd", "tid"),
    *("klockslag", "godzina", "saat", "час", "время", "时间", "時間", "時刻"),
)
_HOUR_NAMES = ("hour", "hr", "hours", "stunde", "heure", "hora")
_LASTS = re.compile(r"duration|length|latency|average|avg|mean|session|dauer|durée|elapsed|on page|response|uptime")
_DAYS_COME_AGAIN = 0.9
"""Dates of which so few are different have times of day beside them, in a column of any name."""

MOST_OF = 0.5
"""A column holds what so many of its cells hold."""


def times_of(table: Table, plain: Sequence[str], cells: Sequence[Sequence[str]]) -> tuple[int, int | None, bool]:
    """Return the column of times, that of the time of day or None, and whether they are a spreadsheet's numbers."""
    with_times = [place for place, column in enumerate(cells) if share(column, is_time) >= MOST_OF]
    named = sorted(
        (place for place, name in enumerate(plain) if is_time_name(name)),
        key=lambda place: TIME_NAMES.index(plain[place]) if plain[place] in TIME_NAMES else len(TIME_NAMES),
    )
    in_words = [place for place in with_times if not all(map(is_plain_number, cells[place]))]
    for place in [*(one for one in named if one in with_times), *in_words, *with_times]:
        return place, _clock_of(place, table, plain, cells), False
    for place in named:
        if cells[place] and all(excel_time(cell) for cell in cells[place]):
            return place, None, True
    if table.names and not any(cells):
        return (named or [0])[0], None, False
    raise CsvError(_no_times(table, cells))


def check_that_times_stand_below_each_other(table: Table) -> None:
    """Raise CsvError for a table with its times in the first row."""
    first, *others = [table.names, *(row.cells for row in table.rows[:3])][0 if table.names else 1 :]
    times = sum(is_time(cell) and not is_plain_number(cell) for cell in first)
    if times > 1 and others and not any(map(is_time, others[0])):
        raise CsvError(f"{times} times stand beside each other; turn rows and columns, so that each line has its time")


def _no_times(table: Table, cells: Sequence[Sequence[str]]) -> str:
    line = table.rows[0].line if table.rows else 1
    expected = f"A time is written as 2026-07-02 13:00:00Z, or as epoch seconds from 1990 on; {EXPECTED}"
    for is_such, words in (
        (is_clock, "is a time of day without a date. Put the date before it, or in a column of its own"),
        (is_without_year, "is a date without its year. Export the times in full, or write the year behind the day"),
    ):
        found = next((column[0] for column in cells if share(column, is_such) >= MOST_OF), None)
        if found is not None:
            return f"line {line}: no column holds times; {quoted(found)} {words}"
    names = [place for place, name in enumerate(table.names) if is_time_name(name) and cells[place]]
    first = next((cells[place][0] for place in names), next((cell for column in cells for cell in column), ""))
    return f"line {line}: no column holds times; {quoted(first)} is none. {expected}"


def _clock_of(date: int, table: Table, plain: Sequence[str], cells: Sequence[Sequence[str]]) -> int | None:
    """Return the column of the time of day that belongs to a column of dates alone."""
    if any(getattr(read_time(cell), "has_clock", not short_date(cell)) for cell in cells[date]):
        return None
    numbers = {place for place, column in enumerate(cells) if share(column, looks_like_a_number) >= MOST_OF}
    clocks = [
        place
        for place, column in enumerate(cells)
        if place != date and numbers - {date, place} and share(column, is_clock) >= MOST_OF
    ]
    named = [place for place in clocks if place < len(plain) and plain[place] in _CLOCK_NAMES]
    hours = [
        place
        for place, name in enumerate(plain)
        if name in _HOUR_NAMES and numbers - {date, place} and _are_hours(cells[place])
    ]
    others = [place for place in clocks if place >= len(plain) or not _LASTS.search(plain[place])]
    return next(iter([*named, *hours, *(others if not plain or _days_come_again(table, date) else [])]), None)


def _days_come_again(table: Table, date: int) -> bool:
    days = [row.cells[date] for row in table.rows if date < len(row.cells)]
    return len(set(days)) < _DAYS_COME_AGAIN * len(days)


def _are_hours(cells: Sequence[str]) -> bool:
    return bool(cells) and all(cell.strip().isdecimal() and float(cell) <= 24 for cell in cells)


def share(cells: Sequence[str], is_such: Callable[[str], bool]) -> float:
    """Return the share of the cells that are such."""
    return sum(map(is_such, cells)) / len(cells) if cells else 0.0
