"""What a person says about a file where it does not say so itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DateOrder(StrEnum):
    """How `02/07/2026` is read, and `26-07-02`."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"
    YEAR_FIRST = "year-first"


class DecimalMark(StrEnum):
    """What separates the decimals of a number."""

    DOT = "dot"
    COMMA = "comma"


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """What a person says about the file where it does not say so itself.

    column: the only column of values to read. by: the only column whose values tell series apart. zone: of times
    without one, such as Europe/Berlin.
    """

    column: str = ""
    by: str = ""
    dates: DateOrder | None = None
    decimal: DecimalMark | None = None
    zone: str = ""
