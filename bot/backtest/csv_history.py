"""Read a history from CSV: the values of one or more metrics, or the entries and conversions of funnels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.backtest.reading.columns import Columns, column_name, columns_of
from bot.backtest.reading.file_text import text_of
from bot.backtest.reading.headings import Table, table_of
from bot.backtest.reading.history import FunnelHistory, History, HistoryFile
from bot.backtest.reading.left_out import CsvError, LeftOut
from bot.backtest.reading.moments import Moments, moments_of
from bot.backtest.reading.numbers import Cell, NumberColumn, read_numbers
from bot.backtest.reading.options import DecimalMark, ReadingOptions
from bot.backtest.reading.points import points_of
from bot.backtest.reading.series import Labels, labels_of, name_and_labels
from bot.backtest.reading.table import rows_of
from bot.backtest.reading.time_columns import EXPECTED
from detection.statistics.baselines import Mask

__all__ = ["CsvError", "FunnelHistory", "History", "HistoryFile", "ReadingOptions", "read_history"]

_MOST_PEOPLE = 1e10
_MOST_UNREADABLE = 0.5
"""A file of which a larger share of the rows cannot be read is refused."""

_READING_SHARE = 0.3
_MENDED = {
    Cell.NO_NUMBER: "Write a number, or leave the cell empty.",
    Cell.OTHER_UNIT: "Write all values in one unit.",
    Cell.TOO_LARGE: "Write a number that is a measurement, or leave the cell empty.",
}


def read_history(
    file: Path, options: ReadingOptions | None = None, progress: Callable[[float], None] = lambda share: None
) -> HistoryFile:
    """Read a file. With columns of entries and conversions it holds funnels, else metrics.

    Encoding, delimiter, heading, columns, units, decimal mark and the forms of times are found from the file; `options`
    say what it does not tell. Rows that cannot be read are left out and counted. Each column of numbers is a
    metric, and each value of a label a series of its own. progress: called with the share that is done.
    Raises CsvError if the file as a whole is no history, and OSError if it cannot be opened.
    """
    options = options or ReadingOptions()
    table = table_of(rows_of(text_of(file), lambda share: progress(share * _READING_SHARE)))
    if not table.rows:
        raise CsvError(f"there is no point in it; {EXPECTED}")
    columns = columns_of(table, options)
    left_out = LeftOut(rows=len(table.rows))
    table = _of_right_width(table, columns, left_out)
    left_out.add_lines("that say the heading again", table.heading_lines)
    moments = moments_of(
        table, columns, options, left_out, lambda share: progress(_READING_SHARE + share * (1 - _READING_SHARE))
    )
    return _Reader(table, columns, moments, options, left_out).read()


def _of_right_width(table: Table, columns: Columns, left_out: LeftOut) -> Table:
    """Return the table without rows that have too few cells, or more than there are columns."""
    most = len(table.names) or max(columns.last + 1, *(place + 1 for place in (*columns.numbers, *columns.others)))
    kept, last = [], columns.last
    for row in table.rows:
        if len(row.cells) <= last:
            left_out.add("with too few cells", row.line, mend=f"Each line should be {_expected(columns)}.")
        elif len(row.cells) > most and any(cell.strip() for cell in row.cells[most:]):
            mend = "A number with a comma in it needs quotes around it."
            left_out.add("with more cells than there are columns", row.line, mend=mend)
        else:
            kept.append(row)
    return Table(table.names, kept, table.delimiter, table.heading_lines)


def _whole_numbers(column: NumberColumn) -> int:
    """Return how many counts of people a column holds: `1,191` is one if the comma stands between thousands."""
    return sum(not isinstance(value, Cell) and value.is_integer() for value in column.values)


def _expected(columns: Columns) -> str:
    return "timestamp,entries,conversions" if columns.is_funnel else "timestamp,value"


@dataclass(slots=True)
class _Reader:
    """Makes the series of a table whose times are read."""

    table: Table
    columns: Columns
    moments: Moments
    options: ReadingOptions
    left_out: LeftOut

    def read(self) -> HistoryFile:
        columns = self.columns
        labels = labels_of(
            self.table,
            columns,
            [self._cells(place) for place in columns.others],
            self.moments.seconds,
            by=bool(self.options.by),
        )
        numbers = [self._numbers(place) for place in columns.numbers]
        values = np.array([self._values(place, one) for place, one in zip(columns.numbers, numbers, strict=True)])
        self._refuse_if_unreadable()
        series: Sequence[History | FunnelHistory] = (
            self._funnels(labels, values) if columns.is_funnel else self._metrics(labels, values, numbers)
        )
        if not series:
            raise CsvError(" ".join(["there is no point in it.", *self.left_out.sentences()]))
        notes = (*self.moments.notes, *(note for one in numbers for note in one.notes), *self._unused(labels))
        return HistoryFile(tuple(series), self.left_out, notes)

    def _cells(self, place: int) -> list[str]:
        return [row.cells[place] if place < len(row.cells) else "" for row in self.table.rows]

    def _numbers(self, place: int) -> NumberColumn:
        name = column_name(self.table, place) if self.table.names else ""
        cells, delimiter = self._cells(place), self.table.delimiter
        if not self.columns.is_funnel or self.options.decimal:
            return read_numbers(cells, name, self.options.decimal, delimiter)
        return max((read_numbers(cells, name, mark, delimiter) for mark in DecimalMark), key=_whole_numbers)

    def _values(self, place: int, column: NumberColumn) -> list[float]:
        """Return the numbers of a column, NaN where there is none; note why."""
        several = len(self.columns.numbers) > 1
        of_column = f" in {column_name(self.table, place)}" if several else ""
        for row, value in zip(self.table.rows, column.values, strict=True):
            if isinstance(value, Cell):
                cell = "" if value is Cell.NOTHING else row.cells[place]
                self.left_out.add(value.value + of_column, row.line, cell, mend=_MENDED.get(value, ""))
        return [np.nan if isinstance(value, Cell) else value for value in column.values]

    def _refuse_if_unreadable(self) -> None:
        if len(self.left_out.unreadable) >= _MOST_UNREADABLE * self.left_out.rows:
            raise CsvError(f"half of it or more cannot be read. {' '.join(self.left_out.sentences())}")

    def _metrics(self, labels: Labels, values: np.ndarray, numbers: Sequence[NumberColumn]) -> list[History]:
        found = []
        for place, column, row in zip(self.columns.numbers, numbers, values, strict=True):
            heading = self.table.names[place] if place < len(self.table.names) else ""
            name, of_heading = name_and_labels(heading)
            if self.table.names.count(heading) > 1:
                of_heading = ", ".join(filter(None, (of_heading, f"column {place + 1}")))
            for one, (label, metric) in enumerate(zip(labels.names, labels.metrics, strict=True)):
                mine = (labels.of_row == one) & np.isfinite(row) & np.isfinite(self.moments.seconds)
                if not mine.any():
                    continue
                points = points_of(self.moments.utc(mine), row[None, mine], may_average=True)
                found.append(
                    History(
                        points.times,
                        points.numbers[0],
                        metric or name,
                        points.repeated,
                        points.replaced,
                        points.averaged,
                        ", ".join(filter(None, (of_heading, label))),
                        column.unit,
                    )
                )
        return found

    def _funnels(self, labels: Labels, values: np.ndarray) -> list[FunnelHistory]:
        possible = self._possible_counts(values)
        found = []
        for one, label in enumerate(labels.names):
            mine = (labels.of_row == one) & possible & np.isfinite(self.moments.seconds)
            if mine.any():
                points = points_of(self.moments.utc(mine), values[:, mine], may_average=False)
                entries, conversions = points.numbers
                found.append(FunnelHistory(points.times, entries, conversions, points.repeated, points.replaced, label))
        return found

    def _possible_counts(self, values: np.ndarray) -> Mask:
        """Return which rows hold counts that can be; leave out the others."""
        entries, conversions = values
        known = np.isfinite(values).all(axis=0)
        whole = (np.floor(np.nan_to_num(values)) == np.nan_to_num(values)).all(axis=0)
        can_be = whole & (conversions >= 0) & (conversions <= entries) & (entries <= _MOST_PEOPLE)
        for place in np.flatnonzero(known & ~can_be):
            counts = f"{conversions[place]:g} of {entries[place]:g}"
            mend = "Conversions are whole numbers, at most the entries of their row."
            self.left_out.add("with counts that cannot be", self.table.rows[place].line, counts, mend=mend)
        self._refuse_if_unreadable()
        return np.asarray(known & can_be)

    def _unused(self, labels: Labels) -> list[str]:
        names = [self.table.names[place] for place in labels.unused if place < len(self.table.names)]
        names = [name for name in names if name]
        if not names:
            return []
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        return [f"Not used: {shown}."]
