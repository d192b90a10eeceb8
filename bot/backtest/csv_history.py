"""Read a history from CSV: the values of a metric, or the entries and conversions of a funnel."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from detection.types import Floats

_MILLISECONDS_FROM = 1e11
"""Epoch numbers from here on are read as milliseconds: as seconds they would lie beyond the year 5000."""

_SECONDS_FROM = 631_152_000.0
"""Smaller numbers, before 1990 as epoch seconds, are not read as times."""

_MOST_VALUE = 1e30
"""A larger number is not a measurement in any unit."""

_MOST_PEOPLE = 1e10
_PROGRESS_ROWS = 10_000

_EXPECTED = (
    'a metric has the columns "timestamp" and "value" (or the time and one more), '
    'a funnel "timestamp", "entries" and "conversions"'
)

_DELIMITERS = ",;\t"
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d+\Z)")
"""The decimal comma of spreadsheets that separate cells by semicolons."""

_TIME_NAMES = ("timestamp", "time", "datetime", "date", "ts", "@timestamp", "_time", "minute", "hour")
_ENTRY_NAMES = ("entries", "entered", "visits", "visitors", "sessions", "views", "users", "starts")
_CONVERSION_NAMES = ("conversions", "converted", "completed", "completions", "orders", "purchases", "signups")


class CsvError(ValueError):
    """A file that cannot be read as a history. The message names line and column and may be shown to the user."""


@dataclass(frozen=True, slots=True)
class History:
    """The history of a metric.

    times: (n,) seconds UTC, oldest first. values: (n,). column: the name of the values' column, if it has one.
    repeated: how many rows were dropped because they equal another row.
    """

    times: Floats
    values: Floats
    column: str = ""
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class FunnelHistory:
    """The history of a funnel.

    times: (n,) when each row's interval begins, oldest first. entries, conversions: (n,) whole numbers of users.
    repeated: as in History.
    """

    times: Floats
    entries: Floats
    conversions: Floats
    repeated: int = 0


@dataclass(frozen=True, slots=True)
class _Columns:
    """The index of the time column, those of the one or two number columns, and the name of the metric."""

    time: int = 0
    numbers: tuple[int, ...] = (1,)
    name: str = ""


def read_history(file: Path, progress: Callable[[float], None] = lambda share: None) -> History | FunnelHistory:
    """Read a CSV file. With columns of entries and conversions it is a funnel's history, else a metric's.

    Cells are separated by commas, tabs, or semicolons (then numbers may have decimal commas). The time is the column
    with a time's name, else the first one: ISO 8601 (UTC without an offset), epoch seconds or epoch milliseconds. The
    metric is the column named "value", else the only other column. Without a header the columns are timestamp,value.
    Blank lines are skipped, rows are sorted by time, and repeated rows are dropped.
    progress: called with the share that is read.
    Raises CsvError, which names line and column, and OSError if the file cannot be opened.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            text = lines.read()
    except UnicodeDecodeError as error:
        raise CsvError("this is not a text file in UTF-8") from error
    try:
        delimiter = _delimiter(text)
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
    except csv.Error as error:
        raise CsvError(f"this is not a CSV file ({error})") from error
    if delimiter == ";":
        rows = [[_DECIMAL_COMMA.sub(".", cell) for cell in row] for row in rows]
    columns, points = _read(list(enumerate(rows, start=1)), progress)
    if not points:
        raise CsvError(f"there is no point in it; each line should be {_expected_row(columns)}")
    times, *numbers = _sorted_and_deduplicated(np.array(points))
    repeated = len(points) - len(times)
    if len(numbers) == 2:
        return FunnelHistory(times, numbers[0], numbers[1], repeated)
    return History(times, numbers[0], columns.name, repeated)


def _sorted_and_deduplicated(points: Floats) -> Floats:
    """Sort rows by time and drop repeated ones; return (columns, n).

    points: (rows, 1 + columns), where the first column is the line number. Raises CsvError if two rows of the same time
    differ.
    """
    lines, rows = points[:, 0], points[:, 1:]
    order = np.argsort(rows[:, 0], kind="stable")
    lines, rows = lines[order], rows[order]
    is_repeated = rows[1:, 0] == rows[:-1, 0]
    conflicts = np.flatnonzero(is_repeated & (rows[1:] != rows[:-1]).any(axis=1))
    if len(conflicts):
        place = conflicts[np.argmin(lines[conflicts + 1])]
        at = datetime.fromtimestamp(rows[place, 0], UTC)
        raise CsvError(
            f"line {lines[place + 1]:.0f}: its time ({at:%Y-%m-%d %H:%M:%S} UTC) is that of line {lines[place]:.0f}, "
            "with other numbers; a file holds one series, with an offset in its times where clocks were put back"
        )
    return np.asarray(rows[np.concatenate([[True], ~is_repeated])].T)


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=first.count)


def _read(
    rows: Sequence[tuple[int, list[str]]], progress: Callable[[float], None]
) -> tuple[_Columns, list[tuple[float, ...]]]:
    filled = [(line, row) for line, row in rows if any(cell.strip() for cell in row)]
    if not filled:
        return _Columns(), []
    line, first = filled[0]
    has_header = _is_header(first)
    names = [name.strip() for name in first] if has_header else []
    columns = _columns_from_header(line, names) if has_header else _Columns()
    if not has_header and sum(bool(cell.strip()) for cell in first) > 2:
        raise CsvError(f"line {line}: {len(first)} columns and no header that names them; {_EXPECTED}")
    points = []
    for place, point in enumerate(_points(filled[has_header:], columns)):
        points.append(point)
        if place % _PROGRESS_ROWS == 0:
            progress(place / len(filled))
    return columns, points


def _is_header(row: Sequence[str]) -> bool:
    return len(row) > 1 and all(_parse_number(cell) is None and _parse_time(cell) is None for cell in row)


def _columns_from_header(line: int, header: Sequence[str]) -> _Columns:
    names = [name.lower() for name in header]
    entries, conversions = (
        next((names.index(name) for name in group if name in names), None)
        for group in (_ENTRY_NAMES, _CONVERSION_NAMES)
    )
    numbers = {names.index("value")} if "value" in names else {entries, conversions} - {None}
    first = next(place for place in range(len(names)) if place not in numbers or len(names) == 1)
    time = next((names.index(name) for name in _TIME_NAMES if name in names), first)
    if entries is not None and conversions is not None:
        return _Columns(time, (entries, conversions))
    others = [place for place, name in enumerate(names) if name and place != time]
    if "value" in names:
        others = [names.index("value")]
    if len(others) != 1:
        listed = ", ".join(_quoted(name) for name in header)
        raise CsvError(
            f"line {line}: which column is the metric? There are {listed}. {_EXPECTED[0].upper()}{_EXPECTED[1:]}"
        )
    return _Columns(time, (others[0],), header[others[0]])


def _points(rows: Sequence[tuple[int, list[str]]], columns: _Columns) -> Iterator[tuple[float, ...]]:
    """Yield (line, time, *numbers) for each row. Raises CsvError."""
    for line, row in rows:
        if len(row) <= max(columns.time, *columns.numbers):
            missing = {1: "second", 2: "third"}.get(len(row), f"{len(row) + 1}th")
            raise CsvError(f"line {line}: there is no {missing} column; each line should be {_expected_row(columns)}")
        time, numbers = _parse_time(row[columns.time]), [_parse_number(row[column]) for column in columns.numbers]
        if time is None:
            shown = _quoted(row[columns.time])
            raise CsvError(
                f"line {line}, column {columns.time + 1}: {shown} is neither an ISO 8601 time "
                "nor epoch seconds from 1990 on"
            )
        for column, number in zip(columns.numbers, numbers, strict=True):
            if number is None:
                raise CsvError(f"line {line}, column {column + 1}: {_quoted(row[column])} is not a finite number")
            if abs(number) > _MOST_VALUE:
                raise CsvError(f"line {line}, column {column + 1}: {_quoted(row[column])} is beyond {_MOST_VALUE:g}")
        point = (line, time, *(number for number in numbers if number is not None))
        if len(point) == 4:
            _check_counts(line, *point[2:])
        yield point


def _check_counts(line: int, entries: float, conversions: float) -> None:
    if not (0 <= conversions <= entries and entries.is_integer() and conversions.is_integer()):
        raise CsvError(f"line {line}: {conversions:g} conversions of {entries:g} entries cannot be")
    if entries > _MOST_PEOPLE:
        raise CsvError(f"line {line}: {entries:g} entries are more than there are people")


def _expected_row(columns: _Columns) -> str:
    return "timestamp,value" if len(columns.numbers) == 1 else "timestamp,entries,conversions"


def _quoted(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:40] + "…")


def _parse_number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _parse_time(cell: str) -> float | None:
    """Parse a time cell into seconds UTC, or return None."""
    number = _parse_number(cell)
    if number is not None:
        seconds = number / 1000 if abs(number) >= _MILLISECONDS_FROM else number
        return seconds if _SECONDS_FROM <= seconds < _MILLISECONDS_FROM else None
    try:
        moment = datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
