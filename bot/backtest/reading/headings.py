"""Find the heading of a table among notes, comments and repeated headings, and the rows of data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.backtest.reading.built_times import with_built_times
from bot.backtest.reading.numbers import is_nothing, looks_like_a_number
from bot.backtest.reading.table import Row, Rows, is_data, is_time

TIME_NAMES = (
    *("timestamp", "time", "datetime", "date time", "date", "ts", "@timestamp", "start time", "period start", "from"),
    *("minute", "hour", "day", "period", "bucket", "interval", "interval start", "window start", "created at", "t"),
    *(
        "epoch",
        "unix",
        "unixtime",
        "unix time",
        "recorded at",
        "measured at",
        "observed at",
        "zeit",
        "datum",
        "zeitstempel",
    ),
    *("fecha y hora", "fecha", "date et heure", "horodatage", "data e ora", "data/hora", "tijdstip", "tidspunkt"),
    *("日時", "日付", "时间", "時間", "日期", "时间戳", "дата и время", "дата", "время"),
    *("week", "month", "start", "begin", "x", "category"),
)
"""Names of the column of times, the most certain first, as `plain_name` returns them."""

_KEYS_OF_NAMES = ("metric", "metric name", "label", "full label", "legend", "item", "counter")
"""What a row of a heading is called that names the metric of each column, the most certain first."""

_ANNOTATIONS = ("#group", "#datatype", "#default")
_MOST_HEADINGS = 12
_BRACKETS = re.compile(r"[(\[][^)\]]*[)\]]")


@dataclass(frozen=True, slots=True)
class Table:
    """The columns' names, empty without a heading, and the rows of data. heading_lines: of headings that come again."""

    names: list[str]
    rows: list[Row]
    delimiter: str
    heading_lines: list[int]


def table_of(read: Rows) -> Table:
    """Tell the heading and the data of a file apart."""
    comments = [row for row in read.rows if row.cells[0].lstrip().startswith("#")]
    rows = [row for row in read.rows if row not in comments] if comments else read.rows
    first = next((place for place, row in enumerate(rows) if is_data(row.cells)), min(1, len(rows)))
    time = next((place for place, cell in enumerate(rows[first].cells) if is_time(cell)), 0) if first < len(rows) else 0
    headings = _block(rows[:first], time) or _headings(rows[:first], time)
    if headings:
        data = rows[rows.index(headings[-1]) + 1 :]
    else:
        data = [row for place, row in enumerate(rows) if place >= first or len(row.cells) > 1]
        headings = _commented_heading(comments, data[0]) if data else []
    again = {tuple(row.cells) for row in headings}
    kept = [row for row in data if tuple(row.cells) not in again]
    cells = [row.cells for row in headings]
    names = _shifted(_of_block(cells, time) if _is_block(cells, time) else _joined(cells, time), kept)
    names, kept = with_built_times([plain_name(name) for name in names], names, kept, comments)
    return Table(names, kept, read.delimiter, [row.line for row in data if tuple(row.cells) in again])


def plain_name(name: str) -> str:
    """Return a name in small letters, without brackets, with single spaces: `Start_Time (UTC)` is `start time`."""
    return re.sub(r"[\s_\-]+", " ", _BRACKETS.sub("", name)).strip(" #").lower()


def is_time_name(name: str) -> bool:
    """Return whether a column of this name may hold the times."""
    plain = plain_name(name)
    words = plain.split()
    return plain in TIME_NAMES or any(word in ("time", "date", "timestamp", "@timestamp", "datetime") for word in words)


def _block(before: Sequence[Row], time: int) -> list[Row]:
    """Return the rows right before the data that each say one thing about all columns, such as `Metric,CPU,Memory`."""
    found: list[Row] = []
    for row in reversed(before):
        if len(row.cells) <= max(time + 1, 1) or len(row.cells) != len((found or [row])[0].cells):
            break
        found.insert(0, row)
    return found if _is_block([row.cells for row in found], time) else []


def _is_block(headings: Sequence[Sequence[str]], time: int) -> bool:
    """Return whether each heading says in the column of times what it is about, one of them the metric's name."""
    keys = [plain_name(cells[time]) for cells in headings]
    return len(keys) > 1 and len(set(keys)) == len(keys) and any(key in _KEYS_OF_NAMES for key in keys)


def _of_block(headings: Sequence[Sequence[str]], time: int) -> list[str]:
    """Return a name a column: the metric's, with what tells the columns apart as its labels."""
    keys = [cells[time].strip() for cells in headings]
    plain = [plain_name(key) for key in keys]
    metric = plain.index(next(name for name in _KEYS_OF_NAMES if name in plain))
    labels = [
        row
        for row, cells in enumerate(headings)
        if row != metric and len({*cells[:time], *cells[time + 1 :]}) > 1 and plain[row] not in _KEYS_OF_NAMES
    ]
    units = [row for row in labels if plain[row] in ("unit", "units")]
    names = []
    for place in range(len(headings[metric])):
        name = " ".join(headings[row][place].strip() for row in (metric, *units))
        told = ",".join(f'{keys[row]}="{headings[row][place].strip()}"' for row in labels if row not in units)
        names.append(f"{name}{{{told}}}" if told else name)
    names[time] = "time"
    return names


def _headings(before: Sequence[Row], time: int) -> list[Row]:
    """Return the rows of the heading: those right before the data that are wide enough and hold names only."""
    found: list[Row] = []
    for row in reversed(before):
        if len(row.cells) <= 1 or len(found) == _MOST_HEADINGS:
            break
        if not _may_be_heading(row.cells, time):
            if found:
                break
            continue
        found.insert(0, row)
    widest = max((len(row.cells) for row in found), default=0)
    return [row for row in found if len(row.cells) == widest]


def _may_be_heading(cells: Sequence[str], time: int) -> bool:
    filled = [cell for cell in cells if cell.strip()]
    if any(is_time(cell) for cell in filled):
        return False
    of_time = cells[time] if time < len(cells) else ""
    if not of_time.strip() or is_time_name(of_time):
        return True
    return not any(looks_like_a_number(cell) and not is_nothing(cell) for cell in filled)


def _joined(headings: Sequence[Sequence[str]], time: int) -> list[str]:
    """Return one name a column: of the first row, and of those that tell columns apart; of the times the last one."""
    if not headings:
        return []
    cleaned = [[cell.strip().lstrip("#").strip() for cell in cells] for cells in headings]
    others = [[cell for place, cell in enumerate(cells) if place != time] for cells in cleaned]
    filled = [place for place, cells in enumerate(others) if any(cells)]
    kept = [place for place in filled if place == filled[0] or len(set(others[place])) > 1]
    columns = [[cleaned[row][place] for row in kept] for place in range(len(cleaned[0]))]
    names = [" ".join(dict.fromkeys(filter(None, column))) for column in columns]
    if time < len(names):
        names[time] = next((cells[time] for cells in reversed(cleaned) if cells[time]), "")
    return names


def _commented_heading(comments: Sequence[Row], data: Row) -> list[Row]:
    """Return the heading of a file that writes it as a comment: `#time,value`."""
    fitting = [
        row
        for row in comments
        if row.line < data.line and len(row.cells) == len(data.cells) and row.cells[0].strip() not in _ANNOTATIONS
    ]
    return fitting[-1:]


def _shifted(names: list[str], rows: Sequence[Row]) -> list[str]:
    """Return the names moved by one where the first column, of row names, has none."""
    width = Counter(len(row.cells) for row in rows[:100]).most_common(1)
    if not names or not width or width[0][0] != len(names) + 1:
        return names
    time = next((place for place, name in enumerate(names) if is_time_name(name)), None)
    holds = time is not None and all(is_time(row.cells[time + 1]) for row in rows[:5] if len(row.cells) > time + 1)
    return ["", *names] if holds else names
