"""Split the text of a file into rows of cells, with the number of each row's line."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.backtest.reading.left_out import CsvError
from bot.backtest.reading.numbers import is_nothing, looks_like_a_number
from bot.backtest.reading.options import DateOrder
from bot.backtest.reading.times.stamps import Stamp, is_clock, read_time

DELIMITERS = ",;\t|"
_SAMPLE_ROWS = 60
_SEPARATOR_LINE = re.compile(r"\ufeff?\"?sep=(.)\"?\s*", re.IGNORECASE)
_RULE = re.compile(r"[\s|+=:-]*-{3}[\s|+=:-]*")
"""The line below the heading of a table that a database or a wiki draws."""

_PROTECTED = re.compile(r"=\"(.*)\"|'(.*)'|'([-+\d].*)")

_MOST_LINES_IN_A_ROW = 50
"""A row of more lines is a quote that is never closed."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank. line: the number of its first line."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a file that are not blank, and what separates their cells."""

    rows: list[Row]
    delimiter: str


def rows_of(text: str, progress: Callable[[float], None] = lambda share: None) -> Rows:
    """Return the rows of a text. progress: called with the share that is done. Raises CsvError."""
    named = _SEPARATOR_LINE.fullmatch(text.split("\n", 1)[0].rstrip("\r"))
    delimiter = named[1] if named else _delimiter(text)
    rows = _rows(text, delimiter, progress=progress)
    if named:
        rows = [row for row in rows if row.line > 1]
    return Rows([row for row in rows if not _RULE.fullmatch("".join(row.cells))], delimiter)


def _rows(
    text: str, delimiter: str, *, most: int | None = None, progress: Callable[[float], None] = lambda share: None
) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    rows: list[Row] = []
    may_be_protected = "'" in text or "=" in text
    before, total = 0, text.count("\n") + 1
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if before - line > _MOST_LINES_IN_A_ROW:
                raise CsvError(f"line {line}: a quote is opened and not closed again for {before - line} lines")
            if any(cell and not cell.isspace() for cell in cells):
                rows.append(Row(line, [_bare(cell) for cell in cells] if may_be_protected else cells))
            if len(rows) == most:
                break
            if len(rows) % 10_000 == 0:
                progress(line / total)
    except csv.Error as error:
        raise CsvError(f"line {before + 1}: this is not CSV ({error})") from error
    if most is None and rows and before > rows[-1].line:
        _check_that_quotes_close(text, rows[-1].line, delimiter)
    return rows


def _bare(cell: str) -> str:
    """Return a cell without what keeps a spreadsheet from changing it: `="0012"`, `'0012`, and single quotes."""
    match = _PROTECTED.fullmatch(cell) if cell[:1] in ("'", "=") else None
    return (match[1] or match[2] or match[3] or "") if match else cell


def _check_that_quotes_close(text: str, line: int, delimiter: str) -> None:
    """Raise CsvError if the last row, which begins in this line, ends within a quote."""
    last = io.StringIO("".join(io.StringIO(text, newline="").readlines()[line - 1 :]), newline="")
    try:
        list(csv.reader(last, delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise CsvError(f"line {line}: a quote is opened and not closed again") from error


def _delimiter(text: str) -> str:
    """Return the delimiter that gives most rows a time and a number beside it, and most rows equally many cells."""
    sample = text[:200_000]
    scores = {delimiter: _score(sample, delimiter) for delimiter in DELIMITERS}
    best = max(scores, key=scores.__getitem__)
    if scores[best][0]:
        return best
    if _score(sample, " ")[0]:
        return " "
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(DELIMITERS, key=first.count)


def _score(text: str, delimiter: str) -> tuple[float, ...]:
    try:
        rows = _rows(text, delimiter, most=_SAMPLE_ROWS)
    except CsvError:
        return (0.0, 0.0)
    filled = [row.cells for row in rows if len(row.cells) > 1]
    if not filled:
        return (0.0, 0.0)
    widths = Counter(len(cells) for cells in filled)
    is_such = _is_data_between_spaces if delimiter == " " else is_data
    return (float(sum(map(is_such, filled))), max(widths.values()) / len(rows))


def _is_data_between_spaces(cells: Sequence[str]) -> bool:
    """Return whether a row cut at its spaces has a number beside the date and the time of day that it was cut into."""
    numbers = [cell for cell in cells if looks_like_a_number(cell) and not is_clock(cell) and not is_nothing(cell)]
    return is_data(cells) and any(not is_time(cell) or len(numbers) > 1 for cell in numbers)


def is_data(cells: Sequence[str]) -> bool:
    """Return whether a row has a time, and a number beside it."""
    times = [place for place, cell in enumerate(cells) if is_time(cell) or is_clock(cell)]
    return any(
        place not in times[:1] and (looks_like_a_number(cell) or is_nothing(cell)) for place, cell in enumerate(cells)
    ) and bool(times)


def is_time(cell: str) -> bool:
    """Return whether a cell is a time with a date."""
    return isinstance(read_time(cell), Stamp) or isinstance(read_time(cell, DateOrder.MONTH_FIRST), Stamp)
