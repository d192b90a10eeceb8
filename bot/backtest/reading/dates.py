"""Decide for a whole column whether the day or the month comes first in dates such as `02/07/2026`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.backtest.reading.options import DateOrder
from bot.backtest.reading.times import Stamp, day_and_month, read_time

_CLEARLY_SHORTER = 1 / 3
"""One reading is taken for the right one if the history is so much shorter by it: its days follow each other."""


@dataclass(frozen=True, slots=True)
class DecidedOrder:
    """The order of the dates of a column. note: a sentence where another reading would do as well, else empty."""

    order: DateOrder
    note: str = ""


def order_of(cells: Sequence[str], wanted: DateOrder | None) -> DecidedOrder:
    """Decide the order of day and month. wanted: what the person says, which counts alone."""
    parts = [(cell, found) for cell in cells if (found := day_and_month(cell)) is not None]
    if wanted is not None or not parts:
        return DecidedOrder(wanted or DateOrder.DAY_FIRST)
    day_first = sum(first > 12 for _, (first, _, _) in parts)
    month_first = sum(second > 12 for _, (_, second, _) in parts)
    if day_first != month_first:
        return DecidedOrder(DateOrder.DAY_FIRST if day_first > month_first else DateOrder.MONTH_FIRST)
    if all(mark == "." for _, (_, _, mark) in parts):
        return DecidedOrder(DateOrder.DAY_FIRST)
    sample = [cell for cell, (first, second, _) in parts if first != second]
    if not sample:
        return DecidedOrder(DateOrder.DAY_FIRST)
    return _by_the_span(cells, sample[0])


def _by_the_span(cells: Sequence[str], sample: str) -> DecidedOrder:
    spans = {order: _span(cells, order) for order in DateOrder}
    by_day, by_month = spans[DateOrder.DAY_FIRST], spans[DateOrder.MONTH_FIRST]
    if by_day < by_month * _CLEARLY_SHORTER:
        return DecidedOrder(
            DateOrder.DAY_FIRST, _note(sample, DateOrder.DAY_FIRST, ", for so the days follow each other")
        )
    if by_month < by_day * _CLEARLY_SHORTER:
        return DecidedOrder(
            DateOrder.MONTH_FIRST, _note(sample, DateOrder.MONTH_FIRST, ", for so the days follow each other")
        )
    halves = any(cell.strip().lower().rstrip(".").endswith(("am", "pm")) for cell in cells)
    order = DateOrder.MONTH_FIRST if halves else DateOrder.DAY_FIRST
    return DecidedOrder(order, _note(sample, order, ", which the file does not tell"))


def _span(cells: Sequence[str], order: DateOrder) -> float:
    seconds = [found.seconds for cell in cells if isinstance(found := read_time(cell, order), Stamp)]
    return max(seconds) - min(seconds) if seconds else 0.0


def _note(sample: str, order: DateOrder, why: str) -> str:
    other = next(one for one in DateOrder if one is not order)
    words = order.value.replace("-", " ")
    return f"Dates such as {sample.strip()} are read {words}{why}; --dates {other.value} reads them the other way."
