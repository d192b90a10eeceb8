"""Decide for a whole column which of day, month and year comes first in dates such as `02/07/2026` and `26-07-02`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.backtest.reading.options import DateOrder
from bot.backtest.reading.times.stamps import ShortDate, Stamp, read_time, short_date

_CLEARLY_SHORTER = 1 / 3
"""One reading is taken for the right one if the history is so much shorter by it: its days follow each other."""


@dataclass(frozen=True, slots=True)
class DecidedOrder:
    """The order of the dates of a column. note: a sentence where another reading would do as well, else empty."""

    order: DateOrder
    note: str = ""


def order_of(cells: Sequence[str], wanted: DateOrder | None, delimiter: str = ",") -> DecidedOrder:
    """Decide the order of the dates of a column. wanted: what the person says, which counts alone."""
    parts = [(cell, found) for cell in cells if (found := short_date(cell)) is not None]
    if wanted is not None or not parts:
        return DecidedOrder(wanted or DateOrder.DAY_FIRST)
    dates = [found for _, found in parts]
    if all(found.may_begin_with_year for found in dates):
        decided = _year_first(cells, *parts[0])
        if decided is not None:
            return decided
    day_first, month_first = sum(found.first > 12 for found in dates), sum(found.second > 12 for found in dates)
    if day_first != month_first:
        return DecidedOrder(DateOrder.DAY_FIRST if day_first > month_first else DateOrder.MONTH_FIRST)
    if all(found.mark == "." for found in dates):
        return DecidedOrder(DateOrder.DAY_FIRST)
    sample = [cell for cell, found in parts if found.first != found.second]
    if not sample:
        return DecidedOrder(DateOrder.DAY_FIRST)
    return _by_the_span(cells, sample[0], _usual_order(cells, dates, delimiter))


def _year_first(cells: Sequence[str], sample: str, date: ShortDate) -> DecidedOrder | None:
    """Return that the year comes first if the days follow each other only so; None if it is no year."""
    spans = _spans(cells)
    by_year = spans.pop(DateOrder.YEAR_FIRST)
    if by_year < min(spans.values()) * _CLEARLY_SHORTER:
        return DecidedOrder(DateOrder.YEAR_FIRST)
    if by_year == spans[DateOrder.DAY_FIRST] and date.first > 12:
        return DecidedOrder(DateOrder.DAY_FIRST, _note(sample, DateOrder.DAY_FIRST, DateOrder.YEAR_FIRST))
    return None


def _usual_order(cells: Sequence[str], dates: Sequence[ShortDate], delimiter: str) -> DateOrder:
    """Return the order by the habits of those who write so: American dates have no zeros and halves of the day."""
    if any(cell.strip().lower().rstrip(".").endswith(("am", "pm")) for cell in cells):
        return DateOrder.MONTH_FIRST
    without_zeros = any(found.is_without_zeros for found in dates)
    american = without_zeros and delimiter in ",\t" and all(found.mark == "/" for found in dates)
    return DateOrder.MONTH_FIRST if american else DateOrder.DAY_FIRST


def _by_the_span(cells: Sequence[str], sample: str, usual: DateOrder) -> DecidedOrder:
    spans = _spans(cells)
    by_day, by_month = spans[DateOrder.DAY_FIRST], spans[DateOrder.MONTH_FIRST]
    follow = "for so the days follow each other"
    if by_day < by_month * _CLEARLY_SHORTER:
        return DecidedOrder(DateOrder.DAY_FIRST, _note(sample, DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST, follow))
    if by_month < by_day * _CLEARLY_SHORTER:
        return DecidedOrder(DateOrder.MONTH_FIRST, _note(sample, DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST, follow))
    other = DateOrder.DAY_FIRST if usual is DateOrder.MONTH_FIRST else DateOrder.MONTH_FIRST
    return DecidedOrder(usual, _note(sample, usual, other))


def _spans(cells: Sequence[str]) -> dict[DateOrder, float]:
    """Return the seconds from the first time to the last by each order; infinity where another one reads more times."""
    read = {
        order: [found.seconds for cell in cells if isinstance(found := read_time(cell, order), Stamp)]
        for order in DateOrder
    }
    most = max(map(len, read.values()))
    return {
        order: max(seconds) - min(seconds) if seconds and len(seconds) == most else math.inf
        for order, seconds in read.items()
    }


def _note(sample: str, order: DateOrder, other: DateOrder, why: str = "which the file does not tell") -> str:
    words = order.value.replace("-", " ")
    return f"Dates such as {sample.strip()} are read {words}, {why}; --dates {other.value} reads them the other way."
