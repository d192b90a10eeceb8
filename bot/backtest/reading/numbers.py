"""Numbers as exports and spreadsheets write them: decimal marks, thousands, units, currencies, words for nothing."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from bot.backtest.reading.options import DecimalMark
from bot.backtest.reading.units import duration, is_known, units_of

_NOTHING = frozenset(
    {
        *("", "nan", "null", "none", "nil", "(null)", "<null>", "\\n", "undefined", "missing", "empty", "blank"),
        *("n/a", "na", "n.a.", "<na>", "no data", "no value", "not available"),
        *("#n/a", "#na", "#value!", "#div/0!", "#ref!", "#num!", "#null!"),
        *("-", "--", "---", "\u2013", "\u2014", ".", "..", "?"),
        *("inf", "+inf", "-inf", "infinity", "+infinity", "-infinity", "\u221e"),
    }
)
_MOST_VALUE = 1e30
"""A larger number is not a measurement in any unit."""

_TRUTH = ("true", "false")
_STATES = {
    **dict.fromkeys(("true", "yes", "on", "up", "ok", "healthy"), 1.0),
    **dict.fromkeys(("false", "no", "off", "down", "fail", "failed", "unhealthy"), 0.0),
}
"""Words for a state, which are numbers where a column holds nothing else."""

_SPACED = re.compile(r"(?<=\d)[ '\u2019\u00a0\u202f\u2009\u2007](?=\d{3}(?!\d))")
_MINUS_BEHIND = re.compile(r"\A(\d(?:[\d.,]*\d)?)-\Z")
_SPACES = re.compile(r"[\u00a0\u202f\u2009\u2007\t]+")
_CELL = re.compile(
    r"(?P<open>\()?\s*(?P<sign>[-+])?\s*(?P<before>[$€£¥₹]|[A-Z]{2,3}\$?(?=\s?\d)|[A-Z]{1,2}\$)?\s*(?P<sign2>[-+])?"
    r"(?P<digits>\d[\d.,]*|[.,]\d+)(?P<exp>[eE][-+]?\d+)?(?P<gap>\s*)(?P<unit>[^\d().,][^\d()]*)?\)?"
)
_DOT_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
_FORMS = {
    DecimalMark.DOT: re.compile(r"(?:\d+|\d{1,3}(?:,\d{2,3})*,\d{3})?(?:\.\d*)?"),
    DecimalMark.COMMA: re.compile(r"(?:\d+|\d{1,3}(?:\.\d{3})+)?(?:,\d*)?"),
}
_FEWEST_THOUSANDS = 3
_SYMBOL = re.compile(r"[%‰°$€£¥₹].{0,8}")


class Cell(Enum):
    """What a cell is that is no number."""

    NOTHING = "without a value (empty, NaN, null, inf, -)"
    NO_NUMBER = "with a value that is no number"
    OTHER_UNIT = "in a unit that does not fit the others"
    TOO_LARGE = "with a value beyond 1e+30"


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """The numbers of a column. values: a number, or why there is none, for each cell. unit: of all of them, if known.

    notes: sentences about how they were read.
    """

    values: tuple[float | Cell, ...]
    unit: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Written:
    """A cell taken apart. digits: with its marks. factor: the sign and the exponent. unit: as it is written."""

    digits: str
    factor: float
    unit: str


def is_nothing(cell: str) -> bool:
    """Return whether a cell is empty or holds a word for no value."""
    return cell.strip().lower() in _NOTHING


def looks_like_a_number(cell: str) -> bool:
    """Return whether a cell may be a number with marks and a unit. `true` is one only where nothing else is."""
    if _plain(cell) is not None:
        return True
    if cell.strip().lower() in _TRUTH:
        return False
    found = _taken_apart(cell)
    if isinstance(found, _Written):
        return any(_number(found.digits, mark) is not None for mark in DecimalMark)
    return isinstance(found, float)


def read_numbers(cells: Sequence[str], name: str, wanted: DecimalMark | None, delimiter: str) -> NumberColumn:
    """Read a column. name: for the notes. wanted: the decimal mark the person says. delimiter: between the cells."""
    plain = [_plain(cell) for cell in cells]
    may_have_thousands = wanted is DecimalMark.COMMA or (wanted is None and delimiter != ",")
    if all(value is not None for value in plain) and not may_have_thousands:
        return NumberColumn(tuple(value for value in plain if value is not None))
    states = _states(cells, name)
    if states is not None:
        return states
    written = [_taken_apart(cell) for cell in cells]
    parts = [one for one in written if isinstance(one, _Written)]
    mark, note = _decimal_mark(parts, name, wanted, delimiter)
    counts = Counter(one.unit for one in parts)
    if any(isinstance(one, float) for one in written):
        counts["s"] += sum(isinstance(one, float) for one in written)
        counts.setdefault("ms", 0)
    units = units_of(dict(counts))
    values = []
    for one in written:
        if not isinstance(one, _Written):
            values.append(one)
            continue
        factor, number = units.factor(one.unit), _number(one.digits, mark)
        if number is None:
            values.append(Cell.NO_NUMBER)
        elif factor is None:
            values.append(Cell.OTHER_UNIT if one.unit or number else 0.0)
        else:
            values.append(_checked(number * one.factor * factor))
    return NumberColumn(tuple(values), units.name, (note,) if note else ())


def _states(cells: Sequence[str], name: str) -> NumberColumn | None:
    """Return a column of states as 1 and 0, or None if it holds anything else."""
    words = [cell.strip().lower() for cell in cells]
    found = [word for word in words if word not in _NOTHING]
    if not found or any(word not in _STATES for word in found):
        return None
    shown = ", ".join(f"{word} as {_STATES[word]:g}" for word in dict.fromkeys(found))
    note = f"{_column(name)}is read with {shown}."
    return NumberColumn(tuple(_STATES.get(word, Cell.NOTHING) for word in words), notes=(note,))


def _plain(cell: str) -> float | Cell | None:
    """Return a number of digits alone, or nothing, the fast way; None for anything else."""
    try:
        return _checked(float(cell)) if "_" not in cell else None
    except ValueError:
        return Cell.NOTHING if is_nothing(cell) else None


def _checked(number: float) -> float | Cell:
    if not math.isfinite(number):
        return Cell.NOTHING
    return number if abs(number) <= _MOST_VALUE else Cell.TOO_LARGE


def _taken_apart(cell: str) -> _Written | float | Cell:
    """Return the parts of a number, the seconds of a duration, or what the cell is else."""
    if is_nothing(cell):
        return Cell.NOTHING
    if cell.strip().lower() in _TRUTH:
        return _Written("1" if cell.strip().lower() == "true" else "0", 1.0, "")
    text = _MINUS_BEHIND.sub(r"-\1", cell.replace("\u2212", "-").strip())
    text = _SPACED.sub("", _SPACES.sub(" ", _SPACED.sub("", text)).strip())
    seconds = duration(text)
    if seconds is not None:
        return seconds
    match = _CELL.fullmatch(text)
    if not match or (match["open"] is not None) != text.endswith(")"):
        return Cell.NO_NUMBER
    unit = (match["unit"] or match["before"] or "").strip().removesuffix(".")
    if match["unit"] and not match["gap"] and not (_SYMBOL.fullmatch(unit) or is_known(unit)):
        return Cell.NO_NUMBER
    negative = match["open"] is not None or "-" in (match["sign"], match["sign2"])
    factor = (-1.0 if negative else 1.0) * float(f"1{match['exp'] or ''}")
    return _Written(match["digits"], factor, unit)


def _number(digits: str, mark: DecimalMark) -> float | None:
    if not _FORMS[mark].fullmatch(digits) or digits in (".", ","):
        return None
    if mark is DecimalMark.COMMA:
        digits = digits.replace(".", "").replace(",", ".")
    return float(digits.replace(",", ""))


def _decimal_mark(
    parts: Sequence[_Written], name: str, wanted: DecimalMark | None, delimiter: str
) -> tuple[DecimalMark, str]:
    """Decide the decimal mark of a column from all of its numbers. Return it, and a sentence where that is worth it."""
    if wanted is not None:
        return wanted, ""
    marked = [one.digits for one in parts if "," in one.digits or "." in one.digits]
    comma = sum(_is_decimal(digits, ",", ".") for digits in marked)
    dot = sum(_is_decimal(digits, ".", ",") for digits in marked)
    if comma != dot:
        mark = DecimalMark.COMMA if comma > dot else DecimalMark.DOT
        sample = next((digits for digits in marked if "," in digits), "")
        words = "with decimal commas" if mark is DecimalMark.COMMA else "with commas between thousands"
        return mark, f"{_column(name)}is read {words}, such as {sample}." if sample else ""
    sample = next((digits for digits in marked if "," in digits), "")
    if sample:
        return _ambiguous_comma(parts, marked, sample, name, delimiter)
    if delimiter != "," and _has_dots_between_thousands(parts, marked):
        other = DecimalMark.DOT.value
        words = f"is read with dots between thousands, such as {marked[0]}; --decimal {other} reads them as decimals."
        return DecimalMark.COMMA, f"{_column(name)}{words}"
    return DecimalMark.DOT, ""


def _ambiguous_comma(
    parts: Sequence[_Written], marked: Sequence[str], sample: str, name: str, delimiter: str
) -> tuple[DecimalMark, str]:
    """Decide where every comma has three digits behind it: `2,307` is 2307 or 2.307."""
    plain_thousands = any(one.digits.isdecimal() and len(one.digits) > 3 for one in parts)
    dots = any("." in digits for digits in marked)
    is_decimal = plain_thousands or (delimiter == ";" and not dots and all("," in one.digits for one in parts))
    mark = DecimalMark.COMMA if is_decimal else DecimalMark.DOT
    other = DecimalMark.DOT if is_decimal else DecimalMark.COMMA
    as_read, else_read = (f"{_number(sample, one):g}" for one in (mark, other))
    return mark, f"{_column(name)}is read with {sample} as {as_read}; with --decimal {other.value} it is {else_read}."


def _is_decimal(digits: str, mark: str, other: str) -> bool:
    """Return whether this number shows that `mark` is its decimal mark."""
    if digits.count(mark) != 1:
        return digits.count(other) > 1
    if other in digits:
        return digits.rindex(mark) > digits.rindex(other)
    whole, _, decimals = digits.partition(mark)
    return len(decimals) != 3 or len(whole) > 3 or whole in ("", "0")


def _has_dots_between_thousands(parts: Sequence[_Written], marked: Sequence[str]) -> bool:
    """Return whether every dot stands between thousands, beside numbers below a thousand without one."""
    whole = [one.digits for one in parts if "." not in one.digits]
    return (
        len(marked) >= _FEWEST_THOUSANDS
        and all(_DOT_THOUSANDS.fullmatch(digits) for digits in marked)
        and bool(whole)
        and all(len(digits) <= 3 for digits in whole)
    )


def _column(name: str) -> str:
    return f"{name} " if name else "The value "
