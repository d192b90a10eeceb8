"""A user's own history as CSV: the levels of a metric, or how many entered a funnel and how many came through."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from detection.types import Floats

_MILLISECONDS_FROM = 1e11
"""Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5000."""

_DELIMITERS = ",;\t"
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d+\Z)")
"""As spreadsheets write numbers where they separate cells by semicolons."""

_TIME_NAMES = ("timestamp", "time", "datetime", "date", "ts", "@timestamp", "_time", "minute", "hour")
_ENTRY_NAMES = ("entries", "entered", "visits", "visitors", "sessions", "views", "users", "starts")
_CONVERSION_NAMES = ("conversions", "converted", "completed", "completions", "orders", "purchases", "signups")


class CsvError(ValueError):
    """A file that cannot be read as a history. Its words may be shown: they name the line and the column."""


@dataclass(frozen=True, slots=True)
class History:
    """A metric's past: times (n,) in seconds UTC, oldest first, values (n,), and the column they stand in if named."""

    times: Floats
    values: Floats
    column: str = ""


@dataclass(frozen=True, slots=True)
class FunnelHistory:
    """A funnel's past, (n,) each: when a row's time begins, oldest first, and whole numbers of people."""

    times: Floats
    entries: Floats
    conversions: Floats


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the time stands, and the one or two columns of numbers."""

    time: int = 0
    numbers: tuple[int, ...] = (1,)
    name: str = ""


def read_history(file: Path) -> History | FunnelHistory:
    """Read a header and rows; with columns of entries and conversions it is a funnel's history, else a metric's.

    Separated by commas, semicolons (then with decimal commas) or tabs. The time is the column named so, else the
    first: ISO 8601 (UTC where no offset is given) or epoch seconds or milliseconds. A metric is the column named
    "value", else the first other one.
    Without a header it is timestamp,value. Blank lines are passed over; rows are put in order of time.
    Raises CsvError with the line and the column of what cannot be read, OSError when the file cannot be opened.
    """
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            text = lines.read()
    except UnicodeDecodeError as error:
        raise CsvError("this is not a text file in UTF-8") from error
    try:
        delimiter = _delimiter(text)
        rows = list(csv.reader(text.splitlines(keepends=True), delimiter=delimiter))
        if delimiter == ";":
            rows = [[_DECIMAL_COMMA.sub(".", cell) for cell in row] for row in rows]
        columns, points = _read(list(enumerate(rows, start=1)))
    except csv.Error as error:
        raise CsvError(f"this is not a CSV file ({error})") from error
    if not points:
        raise CsvError("there is no point in it; each line should be timestamp,value")
    times, *numbers = np.array(sorted(points, key=lambda point: point[0])).T
    if len(numbers) == 2:
        return FunnelHistory(times, numbers[0], numbers[1])
    return History(times, numbers[0], columns.name)


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=first.count)


def _read(rows: Sequence[tuple[int, list[str]]]) -> tuple[_Columns, list[tuple[float, ...]]]:
    filled = [(line, row) for line, row in rows if any(cell.strip() for cell in row)]
    columns = _named(filled[0][1]) if filled and _is_header(filled[0][1]) else None
    return columns or _Columns(), list(_points(filled[1:] if columns else filled, columns or _Columns()))


def _is_header(row: Sequence[str]) -> bool:
    return len(row) > 1 and all(_number(cell) is None and _time(cell) is None for cell in row)


def _named(header: Sequence[str]) -> _Columns:
    names = [name.strip().lower() for name in header]
    time = next((names.index(name) for name in _TIME_NAMES if name in names), 0)
    entries, conversions = (
        next((names.index(name) for name in group if name in names), None)
        for group in (_ENTRY_NAMES, _CONVERSION_NAMES)
    )
    if entries is not None and conversions is not None:
        return _Columns(time, (entries, conversions))
    value = names.index("value") if "value" in names else int(time == 0)
    return _Columns(time, (value,), header[value].strip())


def _points(rows: Iterable[tuple[int, list[str]]], columns: _Columns) -> Iterator[tuple[float, ...]]:
    for line, row in rows:
        if len(row) <= max(columns.time, *columns.numbers):
            expected = {1: "second", 2: "third"}.get(len(row), f"{len(row) + 1}th")
            raise CsvError(f"line {line}: there is no {expected} column; each line should be timestamp,value")
        time, numbers = _time(row[columns.time]), [_number(row[column]) for column in columns.numbers]
        if time is None:
            shown = _shown(row[columns.time])
            raise CsvError(
                f"line {line}, column {columns.time + 1}: {shown} is neither an ISO 8601 time nor epoch seconds"
            )
        for column, number in zip(columns.numbers, numbers, strict=True):
            if number is None:
                raise CsvError(f"line {line}, column {column + 1}: {_shown(row[column])} is not a finite number")
        point = (time, *(number for number in numbers if number is not None))
        if len(point) == 3 and not (0 <= point[2] <= point[1] and point[1].is_integer() and point[2].is_integer()):
            raise CsvError(f"line {line}: {point[2]:g} conversions of {point[1]:g} entries cannot be")
        yield point


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= 40 else cell[:40] + "…")


def _number(cell: str) -> float | None:
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _time(cell: str) -> float | None:
    """Seconds UTC within the years that a calendar has."""
    number = _number(cell)
    if number is not None:
        seconds = number / 1000 if abs(number) >= _MILLISECONDS_FROM else number
        return seconds if 0 <= seconds < _MILLISECONDS_FROM else None
    try:
        moment = datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
