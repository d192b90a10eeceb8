"""`argux backtest FILE.csv`: what the stream detector would have said about a metric's own history."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from bot.backtest_chart import chart_of
from detection.streams import StreamScores, score_stream
from detection.types import Floats
from integrations.charts import render_png

LEAST_POINTS = 200
_MILLISECONDS_FROM = 1e11
"""Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5000."""


class CsvError(ValueError):
    """A file that cannot be read as a metric's history. Its words may be shown: they name the line and the column."""


@dataclass(frozen=True, slots=True)
class History:
    """A metric's past: times (n,) in seconds UTC, oldest first, and values (n,)."""

    times: Floats
    values: Floats


def run(file: Path, *, chart: Path | None, console: Console) -> int:
    """Print what would have fired, and write the chart where one is asked for. Returns the exit code.

    0 whether or not anything fired, 2 when the file cannot be read or the chart cannot be written.
    """
    try:
        history = read_history(file)
    except (OSError, CsvError) as error:
        console.print(f"{file}: {_words(error)}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    scores = score_stream(history.times, history.values)
    _report(scores, console)
    if chart is None:
        return 0
    try:
        chart.write_bytes(render_png(chart_of(scores, file.name)))
    except OSError as error:
        console.print(f"{chart}: {_words(error)}", style="red", markup=False, highlight=False, soft_wrap=True)
        return 2
    console.print(f"The chart is in {chart}", markup=False, highlight=False, soft_wrap=True)
    return 0


def _words(error: OSError | CsvError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _report(scores: StreamScores, console: Console) -> None:
    count, fired = len(scores.times), np.flatnonzero(scores.anomalous)
    span = f"{_moment(scores.times[0])} to {_moment(scores.times[-1])}"
    console.print(f"{count:,} points, {span}", highlight=False)
    if len(fired):
        console.print(alarm_table(scores))
        console.print(f"{len(fired)} alarm{'s' if len(fired) > 1 else ''} would have fired.", highlight=False)
    else:
        console.print("Nothing would have fired.")
    if count < LEAST_POINTS:
        console.print(f"With fewer than {LEAST_POINTS} points there is little to learn from: give it a longer history.")


def alarm_table(scores: StreamScores) -> Table:
    """One row an alarm."""
    table = Table("when (UTC)", title="What would have fired", title_justify="left")
    for name in ("observed", "expected", "usual range", "score"):
        table.add_column(name, justify="right")
    for place in np.flatnonzero(scores.anomalous):
        table.add_row(
            _moment(scores.times[place]),
            f"{scores.values[place]:,.6g}",
            f"{scores.expected[place]:,.6g}",
            f"{scores.expected_low[place]:,.6g} to {scores.expected_high[place]:,.6g}",
            f"{scores.score[place]:.2f}",
        )
    return table


def _moment(time: float) -> str:
    return f"{datetime.fromtimestamp(float(time), UTC):%Y-%m-%d %H:%M:%S}"


def read_history(file: Path) -> History:
    """Read timestamp,value lines: ISO 8601 (UTC where no offset is given) or epoch seconds or milliseconds.

    A first line that holds no number is a header; blank lines are passed over; points are put in order of time.
    Raises CsvError with the line and the column of what cannot be read, OSError when the file cannot be opened.
    """
    with file.open(newline="", encoding="utf-8-sig") as lines:
        try:
            points = sorted(_points(csv.reader(lines)), key=lambda point: point[0])
        except UnicodeDecodeError as error:
            raise CsvError("this is not a text file in UTF-8") from error
        except csv.Error as error:
            raise CsvError(f"this is not a CSV file ({error})") from error
    if not points:
        raise CsvError("there is no point in it; each line should be timestamp,value")
    return History(np.array([time for time, _ in points]), np.array([value for _, value in points]))


def _points(rows: Iterable[list[str]]) -> Iterator[tuple[float, float]]:
    first = True
    for line, row in enumerate(rows, start=1):
        if not any(cell.strip() for cell in row):
            continue
        is_header = first and len(row) >= 2 and _number(row[1]) is None and _time(row[0]) is None
        first = False
        if not is_header:
            yield _point(row, line)


def _point(row: list[str], line: int) -> tuple[float, float]:
    if len(row) < 2:
        raise CsvError(f"line {line}: there is no second column; each line should be timestamp,value")
    time, value = _time(row[0]), _number(row[1])
    if time is None:
        raise CsvError(f"line {line}, column 1: {_shown(row[0])} is neither an ISO 8601 time nor epoch seconds")
    if value is None:
        raise CsvError(f"line {line}, column 2: {_shown(row[1])} is not a finite number")
    return time, value


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
