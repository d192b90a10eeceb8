"""Read the times of a table: one order of day and month for the column, and the zone of times without one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo

import numpy as np

from bot.backtest.reading.columns import Columns
from bot.backtest.reading.headings import Table
from bot.backtest.reading.left_out import CsvError, LeftOut, quoted
from bot.backtest.reading.numbers import is_nothing
from bot.backtest.reading.options import DateOrder, ReadingOptions
from bot.backtest.reading.times.dates import order_of
from bot.backtest.reading.times.stamps import Stamp, Unread, excel_time, read_time
from bot.backtest.reading.times.zones import named_zone, seconds_from_local, zone_of
from detection.statistics.baselines import Mask
from detection.types import Floats

_IN_BRACKETS = re.compile(r"[(\[]([^)\]]+)[)\]]")
_PERFORMANCE_LOG = re.compile(r"\(PDH-\w+ [\d.]+\)\s*\(.*\)\((-?\d+)\)")
"""The heading of the times in a log of Windows' performance counters: the minutes that its clock is behind UTC."""

_PROGRESS_ROWS = 10_000
_MENDED = {
    Unread.NO_TIME: "Write it as 2026-07-02 13:00:00Z, or as epoch seconds from 1990 on.",
    Unread.ZONE: "Write the offset, such as +05:30, in its place.",
}


@dataclass(frozen=True, slots=True)
class Moments:
    """The times of the rows, (n,). seconds: UTC, or of the local clock where not zoned; NaN where there is none.

    zone: of the local clock. notes: sentences about how the times were read.
    """

    seconds: Floats
    zoned: Mask
    zone: tzinfo | None
    notes: tuple[str, ...]

    def utc(self, places: Floats | Mask) -> Floats:
        """Return the seconds UTC of the rows of one series, in the order of the file. places: a mask, (n,)."""
        seconds, local = self.seconds[places].copy(), ~self.zoned[places]
        if self.zone is not None and local.any():
            seconds[local] = seconds_from_local(seconds[local], self.zone)
        return seconds


def moments_of(
    table: Table, columns: Columns, options: ReadingOptions, left_out: LeftOut, progress: Callable[[float], None]
) -> Moments:
    """Read the time of each row; note in `left_out` where there is none. Raises CsvError for an unknown zone."""
    cells = [_text(row.cells, columns) for row in table.rows]
    different = dict.fromkeys(cells)
    heading = table.names[columns.time] if columns.time < len(table.names) else ""
    wanted = options.dates or (DateOrder.MONTH_FIRST if _PERFORMANCE_LOG.match(heading) else None)
    decided = order_of(list(different), wanted, table.delimiter)
    known: dict[str, Stamp | Unread] = {}
    for place, cell in enumerate(different):
        found = excel_time(cell) if columns.excel else read_time(cell, decided.order)
        known[cell] = found or Unread.NO_TIME
        if place % _PROGRESS_ROWS == 0:
            progress(place / len(different))
    seconds, zoned = np.full(len(cells), np.nan), np.ones(len(cells), dtype=bool)
    for place, cell in enumerate(cells):
        stamp = known[cell]
        if isinstance(stamp, Stamp):
            seconds[place], zoned[place] = stamp.seconds, stamp.zoned
        else:
            _leave_out(left_out, table.rows[place].line, cell, stamp)
    zone, told = _zone(table, columns, options)
    notes = [decided.note] if decided.note else []
    if not told and not zoned.all():
        notes.append("Times without a zone are read as UTC; --zone Europe/Berlin reads them as Berlin's.")
    return Moments(seconds, zoned, zone, tuple(notes))


def _leave_out(left_out: LeftOut, line: int, cell: str, why: Unread) -> None:
    if is_nothing(cell):
        left_out.add("without a time", line)
    else:
        left_out.add(why.value, line, cell, mend=_MENDED[why])


def _text(cells: list[str], columns: Columns) -> str:
    text = cells[columns.time] if columns.time < len(cells) else ""
    if columns.clock is None:
        return text
    clock = cells[columns.clock].strip() if columns.clock < len(cells) else ""
    return f"{text.strip()} {clock.zfill(2)}:00" if clock.isdecimal() else f"{text.strip()} {clock}"


def _zone(table: Table, columns: Columns, options: ReadingOptions) -> tuple[tzinfo | None, bool]:
    """Return the zone of times without one, None for UTC, and whether the person or the heading says it."""
    if options.zone:
        zone = named_zone(options.zone) or zone_of(options.zone)
        if zone is None:
            raise CsvError(f"there is no zone {quoted(options.zone)}; write it as Europe/Berlin or +02:00")
        return zone, True
    for place in (columns.time, columns.clock):
        heading = table.names[place] if place is not None and place < len(table.names) else ""
        log = _PERFORMANCE_LOG.match(heading)
        if log:
            return timezone(timedelta(minutes=-int(log[1]))), True
        for words in [*_IN_BRACKETS.findall(heading), heading.split(" ")[-1].split("_")[-1]]:
            found = zone_of(words)
            if found is not None:
                return found, True
    return None, False
