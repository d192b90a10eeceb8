"""Find which columns hold the times, the values and the labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.backtest.reading.headings import TIME_NAMES, Table, is_time_name, plain_name
from bot.backtest.reading.left_out import CsvError, quoted
from bot.backtest.reading.numbers import is_nothing, looks_like_a_number
from bot.backtest.reading.options import ReadingOptions
from bot.backtest.reading.table import is_time
from bot.backtest.reading.times import day_and_month, excel_time, is_clock, is_plain_number, read_time

EXPECTED = (
    'a metric has the columns "timestamp" and "value" (or the time and others), '
    'a funnel "timestamp", "entries" and "conversions"'
)
_ENTRY_NAMES = ("entries", "entered", "visits", "visitors", "sessions", "views", "users", "starts")
_CONVERSION_NAMES = ("conversions", "converted", "completed", "completions", "orders", "purchases", "signups")
VALUE_NAMES = ("value", "val", "metric value", "wert")
_CLOCK_NAMES = ("time", "hour", "clock", "time of day", "hr", "uhrzeit", "zeit", "hours")
_DATE_NAMES = ("date", "day", "datum")
_ID_NAMES = ("id", "index", "row", "no", "nr", "number", "#", "table", "result", "unnamed: 0")
_ENDS_WITH_ID = re.compile(r"(?:[a-z]I|[_ -][iI])[dD]\Z")
_OTHER_TIME_NAMES = ("end", "stop", "to", "end time", "stop time", "updated at", "until")
_SAMPLE = 400
_MOST_OF = 0.5


@dataclass(frozen=True, slots=True)
class Columns:
    """The place of each column.

    time: of the times. clock: of the time of day where `time` holds dates alone, else None. excel: whether times are a
    spreadsheet's numbers of days. numbers: of the values, for a funnel of entries and conversions. others: those that
    may be labels.
    """

    time: int
    numbers: tuple[int, ...]
    others: tuple[int, ...] = ()
    clock: int | None = None
    excel: bool = False
    is_funnel: bool = False

    @property
    def last(self) -> int:
        """The last column that every row needs."""
        return max(self.time, self.clock or 0, min(self.numbers))


def columns_of(table: Table, options: ReadingOptions) -> Columns:
    """Find the columns of a table. Raises CsvError where a person has to say more."""
    _check_that_times_stand_below_each_other(table)
    sample = table.rows[:: max(len(table.rows) // _SAMPLE, 1)]
    width = max((len(row.cells) for row in sample), default=len(table.names))
    cells = [
        [row.cells[place] for row in sample if place < len(row.cells) and not is_nothing(row.cells[place])]
        for place in range(max(width, len(table.names)))
    ]
    plain = [plain_name(name) for name in table.names]
    time, clock, excel = _times(table, plain, cells)
    free = [place for place in range(len(cells)) if place not in (time, clock)]
    if options.column:
        chosen = (_named(options.column, table, free),)
        return Columns(time, chosen, _rest(free, chosen, options, table), clock, excel)
    entries, conversions = (
        next((plain.index(name) for name in group if name in plain), None)
        for group in (_ENTRY_NAMES, _CONVERSION_NAMES)
    )
    if entries is not None and conversions is not None:
        both = (entries, conversions)
        return Columns(time, both, _rest(free, both, options, table), clock, excel, is_funnel=True)
    numbers = _numbers(table, plain, cells, free, options)
    return Columns(time, numbers, _rest(free, numbers, options, table), clock, excel)


def column_name(table: Table, place: int) -> str:
    """Return the name of a column for a message."""
    name = table.names[place] if place < len(table.names) else ""
    return name or f"column {place + 1}"


def _times(table: Table, plain: Sequence[str], cells: Sequence[Sequence[str]]) -> tuple[int, int | None, bool]:
    """Return the column of times, that of the time of day or None, and whether they are a spreadsheet's numbers."""
    with_times = [place for place, column in enumerate(cells) if _share(column, is_time) >= _MOST_OF]
    named = sorted(
        (place for place, name in enumerate(plain) if is_time_name(name)),
        key=lambda place: TIME_NAMES.index(plain[place]) if plain[place] in TIME_NAMES else len(TIME_NAMES),
    )
    in_words = [place for place in with_times if not all(map(is_plain_number, cells[place]))]
    for place in [*(one for one in named if one in with_times), *in_words, *with_times]:
        return place, _clock_of(place, plain, cells), False
    for place in named:
        if cells[place] and all(excel_time(cell) for cell in cells[place]):
            return place, None, True
    if table.names and not any(cells):
        return (named or [0])[0], None, False
    raise CsvError(_no_times(table, cells))


def _check_that_times_stand_below_each_other(table: Table) -> None:
    first, *others = [table.names, *(row.cells for row in table.rows[:3])][0 if table.names else 1 :]
    times = sum(is_time(cell) and not is_plain_number(cell) for cell in first)
    if times > 1 and others and not any(map(is_time, others[0])):
        raise CsvError(f"{times} times stand beside each other; turn rows and columns, so that each line has its time")


def _no_times(table: Table, cells: Sequence[Sequence[str]]) -> str:
    line = table.rows[0].line if table.rows else 1
    first = quoted(next((cell for column in cells for cell in column), ""))
    return (
        f"line {line}: no column holds times; {first} is none. A time is written as 2026-07-02 13:00:00Z, or as epoch "
        f"seconds from 1990 on; {EXPECTED}"
    )


def _clock_of(date: int, plain: Sequence[str], cells: Sequence[Sequence[str]]) -> int | None:
    """Return the column of the time of day that belongs to a column of dates alone."""
    if any(getattr(read_time(cell), "has_clock", not day_and_month(cell)) for cell in cells[date]):
        return None
    numbers = {place for place, column in enumerate(cells) if _share(column, looks_like_a_number) >= _MOST_OF}
    clocks = [
        place
        for place, column in enumerate(cells)
        if place != date and numbers - {date, place} and _share(column, is_clock) >= _MOST_OF
    ]
    named = [place for place in clocks if place < len(plain) and plain[place] in _CLOCK_NAMES]
    hours = [
        place
        for place, name in enumerate(plain)
        if name in ("hour", "hr", "hours") and numbers - {date, place} and _are_hours(cells[place])
    ]
    return next(iter([*named, *hours, *(clocks if not plain or plain[date] in _DATE_NAMES else [])]), None)


def _are_hours(cells: Sequence[str]) -> bool:
    return bool(cells) and all(cell.strip().isdigit() and int(cell) <= 24 for cell in cells)


def _numbers(
    table: Table, plain: Sequence[str], cells: Sequence[Sequence[str]], free: Sequence[int], options: ReadingOptions
) -> tuple[int, ...]:
    for name in VALUE_NAMES:
        found = tuple(place for place in free if place < len(plain) and plain[place] == name)
        if found:
            return found
    by = {_named(options.by, table, free)} if options.by else set()
    numbers = [place for place in free if place not in by and _share(cells[place], looks_like_a_number) >= _MOST_OF]
    if not table.names and len(numbers) > 1:
        raise CsvError(
            f"line {table.rows[0].line}: {len(cells)} columns and no header that names them; write one, or name the "
            f"metric by its place with --column {numbers[0] + 1}; {EXPECTED}"
        )
    metrics = [place for place in numbers if not _is_no_metric(place, table, plain, cells)]
    if metrics or numbers:
        return tuple(metrics or numbers)
    others = [place for place in free if place not in by]
    if len(others) == 1 or not table.names:
        return ([*others, *free, 1][0],)
    listed = ", ".join(quoted(name) for name in table.names)
    raise CsvError(f"which column is the metric? No other than the time holds numbers. There are {listed}; {EXPECTED}")


def _is_no_metric(place: int, table: Table, plain: Sequence[str], cells: Sequence[Sequence[str]]) -> bool:
    """Return whether a column of numbers is an id, a row's number, a label or another time."""
    name = plain[place] if place < len(plain) else "x"
    if name in _ID_NAMES or name in LABEL_NAMES or name in _OTHER_TIME_NAMES:
        return True
    if place < len(table.names) and _ENDS_WITH_ID.search(table.names[place].strip()):
        return True
    if is_time_name(name) and _share(cells[place], is_time) >= _MOST_OF:
        return True
    return not name and _counts_up(cells[place])


def _counts_up(cells: Sequence[str]) -> bool:
    try:
        apart = np.diff(np.array([float(cell) for cell in cells]))
    except ValueError:
        return False
    return bool((apart > 0).all())


def _rest(free: Sequence[int], numbers: tuple[int, ...], options: ReadingOptions, table: Table) -> tuple[int, ...]:
    if options.by:
        return (_named(options.by, table, [place for place in free if place not in numbers]),)
    return tuple(place for place in free if place not in numbers)


def _named(wanted: str, table: Table, free: Sequence[int]) -> int:
    """Return the place of a column by its name, or by its number where there are no names. Raises CsvError."""
    names = table.names
    for same in (lambda name: name == wanted, lambda name: plain_name(name) == plain_name(wanted)):
        found = [place for place in free if place < len(names) and same(names[place])]
        if found:
            return found[0]
    if wanted.isdigit() and int(wanted) - 1 in free and not names:
        return int(wanted) - 1
    listed = ", ".join(quoted(column_name(table, place)) for place in free)
    raise CsvError(f"there is no column {quoted(wanted)} beside the time; there are {listed}")


def _share(cells: Sequence[str], is_such: Callable[[str], bool]) -> float:
    return sum(map(is_such, cells)) / len(cells) if cells else 0.0


LABEL_NAMES = frozenset(
    {
        *("host", "hostname", "host name", "instance", "server", "node", "pod", "pod name", "container"),
        *("container name", "service", "service name", "job", "app", "application", "environment", "env", "cluster"),
        *("namespace", "database", "db", "tenant", "region", "zone", "az", "shard", "partition", "queue", "topic"),
        *("endpoint", "path", "port", "status code", "code", "device", "sensor", "core", "platform", "country"),
        *("series", "metric", "metric name", "name", "label", "target", "measurement", "field", "source", "variant"),
        *("quantile", "le", "legend"),
    }
)
"""Names of columns that tell series apart."""
