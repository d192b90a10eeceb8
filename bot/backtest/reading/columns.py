"""Find which columns hold the times, the values and the labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.backtest.reading.headings import Table, is_time_name, plain_name
from bot.backtest.reading.left_out import CsvError, quoted
from bot.backtest.reading.numbers import is_nothing, looks_like_a_number
from bot.backtest.reading.options import ReadingOptions
from bot.backtest.reading.table import is_time
from bot.backtest.reading.time_columns import (
    EXPECTED,
    MOST_OF,
    check_that_times_stand_below_each_other,
    share,
    times_of,
)
from bot.backtest.reading.times.stamps import excel_time

_ENTRY_NAMES = ("entries", "entered", "visits", "visitors", "sessions", "views", "users", "starts")
_CONVERSION_NAMES = ("conversions", "converted", "completed", "completions", "orders", "purchases", "signups")
VALUE_NAMES = ("value", "val", "metric value", "wert")
_ID_NAMES = (
    "id",
    "index",
    "row",
    "no",
    "nr",
    "number",
    "#",
    "table",
    "result",
    "unnamed: 0",
    "interval",
    "span",
    "step",
)
_ENDS_WITH_ID = re.compile(r"(?:[a-z]I|[_ -][iI])[dD]\Z")
_OTHER_TIME_NAMES = ("end", "stop", "to", "end time", "stop time", "updated at", "until")
_SAMPLE = 400
_MOST_OF_A_LABEL, _AT_MOST_TIMES = 200, 0.5
"""A number that tells series apart has so few values, and is there at so many of the times."""


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
    check_that_times_stand_below_each_other(table)
    sample = table.rows[:: max(len(table.rows) // _SAMPLE, 1)]
    width = max((len(row.cells) for row in sample), default=len(table.names))
    cells = [
        [row.cells[place] for row in sample if place < len(row.cells) and not is_nothing(row.cells[place])]
        for place in range(max(width, len(table.names)))
    ]
    plain = [plain_name(name) for name in table.names]
    time, clock, excel = times_of(table, plain, cells)
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
    numbers = _numbers(table, plain, cells, time, free, options)
    return Columns(time, numbers, _rest(free, numbers, options, table), clock, excel)


def column_name(table: Table, place: int) -> str:
    """Return the name of a column for a message."""
    name = table.names[place] if place < len(table.names) else ""
    return name or f"column {place + 1}"


def _numbers(
    table: Table,
    plain: Sequence[str],
    cells: Sequence[Sequence[str]],
    time: int,
    free: Sequence[int],
    options: ReadingOptions,
) -> tuple[int, ...]:
    for name in VALUE_NAMES:
        found = tuple(place for place in free if place < len(plain) and plain[place] == name)
        if found:
            return found
    by = {_named(options.by, table, free)} if options.by else set()
    numbers = [place for place in free if place not in by and share(cells[place], looks_like_a_number) >= MOST_OF]
    if not table.names and len(numbers) > 1:
        raise CsvError(
            f"line {table.rows[0].line}: {len(cells)} columns and no header that names them; write one, or name the "
            f"metric by its place with --column {numbers[0] + 1}; {EXPECTED}"
        )
    metrics = [place for place in numbers if not _is_no_metric(place, table, plain, cells)]
    if len(metrics) > 1:
        apart = next((place for place in metrics if _tells_rows_of_a_time_apart(table, time, place)), None)
        metrics = [place for place in metrics if place != apart]
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
    if is_time_name(name) and (share(cells[place], is_time) >= MOST_OF or share(cells[place], _is_excel) >= MOST_OF):
        return True
    return not name and _counts_up(cells[place])


def _is_excel(cell: str) -> bool:
    return excel_time(cell) is not None


def _tells_rows_of_a_time_apart(table: Table, time: int, place: int) -> bool:
    """Return whether a column holds the same few whole numbers at most times, each once: a status, a core, a shard."""
    pairs = [(row.cells[time], row.cells[place]) for row in table.rows if max(time, place) < len(row.cells)]
    times, values = {time for time, _ in pairs}, {value for _, value in pairs}
    if len(times) == len(pairs) or not 2 <= len(values) <= _MOST_OF_A_LABEL or not all(map(str.isdecimal, values)):
        return False
    return len(set(pairs)) == len(pairs) >= _AT_MOST_TIMES * len(times) * len(values)


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
    if not names and wanted.isdecimal() and float(wanted) - 1 in free:
        return int(wanted) - 1
    listed = ", ".join(quoted(column_name(table, place)) for place in free)
    raise CsvError(f"there is no column {quoted(wanted)} beside the time; there are {listed}")


LABEL_NAMES = frozenset(
    {
        *("host", "hostname", "host name", "instance", "server", "node", "pod", "pod name", "container"),
        *("container name", "service", "service name", "job", "app", "application", "environment", "env", "cluster"),
        *("namespace", "database", "db", "tenant", "region", "zone", "az", "shard", "partition", "queue", "topic"),
        *("endpoint", "path", "port", "status code", "code", "device", "sensor", "core", "platform", "country"),
        *("series", "metric", "metric name", "name", "label", "target", "measurement", "field", "source", "variant"),
        *("quantile", "le", "legend", "status", "http status", "http code", "statuscode", "responsecode"),
        *("response code", "http status code"),
    }
)
"""Names of columns that tell series apart."""
