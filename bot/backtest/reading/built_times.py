"""Build the times of a file that gives them in parts: year, month and day apart, or days counted from a first one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.backtest.reading.table import Row

_PARTS = (
    ("year", "yr", "yyyy", "jahr", "año", "année"),
    ("month", "mo", "mon", "mm", "monat", "mes", "mois"),
    ("day", "dd", "day of month", "dom", "tag", "día", "jour"),
    ("hour", "hr", "hh", "stunde", "hora", "heure"),
    ("minute", "min", "minuto"),
    ("second", "sec"),
)
_COUNTED = {"nth day": timedelta(days=1), "nth hour": timedelta(hours=1), "nth week": timedelta(weeks=1)}
_FIRST_DAY = re.compile(r"start date:?\s*(\d{4})-?(\d\d)-?(\d\d)", re.IGNORECASE)


def with_built_times(
    plain: Sequence[str], names: list[str], rows: list[Row], comments: Sequence[Row]
) -> tuple[list[str], list[Row]]:
    """Return the names and rows with one column of times in place of its parts; as they are if there are none.

    plain: the names in small letters.
    """
    parts = [next((plain.index(name) for name in of_part if name in plain), None) for of_part in _PARTS]
    if None not in parts[:3]:
        return _of_parts([place for place in parts if place is not None], names, rows)
    counted = next((place for place, name in enumerate(plain) if name in _COUNTED), None)
    first = next((found for row in comments if (found := _FIRST_DAY.search(" ".join(row.cells)))), None)
    if counted is None or first is None:
        return names, rows
    year, month, day = map(int, first.groups())
    began, step = datetime(year, month, day), _COUNTED[plain[counted]]  # noqa: DTZ001 - a local time
    return [*names[:counted], "time", *names[counted + 1 :]], [_counted(row, counted, began, step) for row in rows]


def _of_parts(parts: Sequence[int], names: list[str], rows: list[Row]) -> tuple[list[str], list[Row]]:
    """Put the time in front, and drop its parts."""
    gone = set(parts)

    def others(cells: Sequence[str]) -> list[str]:
        return [cell for place, cell in enumerate(cells) if place not in gone]

    return ["time", *others(names)], [Row(row.line, [_time(row.cells, parts), *others(row.cells)]) for row in rows]


def _time(cells: Sequence[str], parts: Sequence[int]) -> str:
    written = [cells[place].strip().removesuffix(".0") if place < len(cells) else "" for place in parts]
    if len(written[0]) != 4 or not all(part.isdecimal() for part in written):
        return " ".join(written).strip()
    date, clock = [part.zfill(2) for part in written[:3]], [part.zfill(2) for part in written[3:]]
    return "-".join(date) + (" " + ":".join(clock if len(clock) > 1 else [*clock, "00"]) if clock else "")


def _counted(row: Row, place: int, began: datetime, step: timedelta) -> Row:
    cell = row.cells[place].strip() if place < len(row.cells) else ""
    if not cell.isdecimal() or len(cell) > 6:
        return row
    return Row(row.line, [*row.cells[:place], (began + int(cell) * step).isoformat(" "), *row.cells[place + 1 :]])
