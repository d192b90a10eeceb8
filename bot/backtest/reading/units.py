"""Units behind (or before) a number, and the one unit of a column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MAGNITUDES = {
    **dict.fromkeys(("k", "K", "tsd", "thousand"), 1e3),
    **dict.fromkeys(("M", "Mil", "mil", "Mio", "mio", "Mn", "mn", "million"), 1e6),
    **dict.fromkeys(("G", "Bil", "bil", "Bn", "bn", "Mrd", "billion"), 1e9),
    **dict.fromkeys(("T", "Tri", "tri", "tn", "trillion"), 1e12),
    **dict.fromkeys(("P", "Quadr"), 1e15),
    "µ": 1e-6,
    "μ": 1e-6,
    "u": 1e-6,
    "n": 1e-9,
}
"""What multiplies a number and is no unit of its own. `m` and `B` depend on the column."""

_PREFIXES = {
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "m": 1e6,
    "G": 1e9,
    "g": 1e9,
    "T": 1e12,
    "t": 1e12,
    "P": 1e15,
    "E": 1e18,
}
_BINARY = re.compile(r"([kKMGTPE])i(?:[bB]|bytes?)?")
_DATA = re.compile(r"([kKmMgGtTPE]?)(B|bytes?|Bytes?|b|bits?|bit|Bits?|bps|Bps|octets?)")
_DATA_BASE = {"B": "bytes", "b": "bits"}
_SECONDS = {
    **dict.fromkeys(("ns", "nsec", "nanoseconds"), 1e-9),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks"), 604_800.0),
}
_PHYSICAL = re.compile(r"([kKMGTmµμun]?)(Hz|Wh|W|V|A|Pa|J|ops|Ops|OPS|iops|IOPS|req|reqs|rps|qps|tps|rpm)")
_SMALL_PREFIXES = {"m": 1e-3, "µ": 1e-6, "μ": 1e-6, "u": 1e-6, "n": 1e-9}
_PERCENT = frozenset({"%", "percent", "pct"})
_PER = re.compile(r"(.*?)\s*(?:/|\bper\s+|\bp/)\s*(s|sec|second|min|minute|h|hour|d|day)")
_MOST_LENGTH = 24
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ns|us|µs|μs|ms|s|secs?|m|mins?|h|hrs?|hours?|d|days?|w|weeks?)\s*")
_CLOCK_DURATION = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that was read. base: what the number counts once it is multiplied by the factor, empty for a bare number.

    is_magnitude: whether it only multiplies (`K`), and so is the same in every column.
    """

    base: str
    factor: float
    is_magnitude: bool = False


BARE = Unit("", 1.0)


@dataclass(frozen=True, slots=True)
class UnitsOfColumn:
    """What the units of one column mean. units: by their text. name: of the numbers once they are converted."""

    units: dict[str, Unit]
    name: str = ""

    def factor(self, text: str) -> float | None:
        """Return what a number with this unit is multiplied by, or None if the unit does not fit the column."""
        unit = self.units.get(text)
        return None if unit is None else unit.factor


def units_of(counts: dict[str, int]) -> UnitsOfColumn:
    """Decide what the units of a column mean. counts: by the text of the unit, with "" for bare numbers.

    Where all numbers have the same unit they stay as they are written; else all are converted to the base unit of the
    most frequent kind, such as bytes or seconds. Units of another kind do not fit, nor does an unknown word behind
    few of many bare numbers.
    """
    texts = [text for text in counts if text]
    known = {text: found for text in texts if (found := _unit(text, texts, has_bare=bool(counts.get(""))))}
    alone = set(texts)
    if len(alone) == 1 and not (known and next(iter(known.values())).is_magnitude):
        [text] = alone
        if not is_known(text) and counts[text] < counts.get("", 0):
            return UnitsOfColumn({"": BARE})
        return UnitsOfColumn({text: Unit(text, 1.0), "": BARE}, _short(text))
    weights: dict[str, int] = {}
    for text, unit in known.items():
        weights[unit.base] = weights.get(unit.base, 0) + counts[text]
    if not weights:
        return UnitsOfColumn({"": BARE, **({max(texts, key=counts.__getitem__): BARE} if texts else {})})
    base = max((one for one in weights if one), key=weights.__getitem__, default="")
    fitting = {text: unit for text, unit in known.items() if unit.base in (base, "")}
    bare = {} if base == "s" else {"": BARE}
    return UnitsOfColumn({**fitting, **bare}, base)


def duration(text: str) -> float | None:
    """Return the seconds of `1h 2m 3s`, `1m30s` or `0:05:12`; None for anything else and for a single part."""
    clock = _CLOCK_DURATION.fullmatch(text)
    if clock:
        return int(clock[1]) * 3600 + int(clock[2]) * 60 + float(clock[3])
    parts = list(_DURATION_PART.finditer(text))
    if len(parts) < 2 or "".join(part[0] for part in parts) != text:
        return None
    return sum(float(part[1]) * (60.0 if part[2] == "m" else _SECONDS[part[2]]) for part in parts)


def is_known(text: str) -> bool:
    """Return whether a unit is one that may stand right behind its number, as in `12ms`; `5xx` is no number."""
    found = _PER.fullmatch(text)
    text = found[1] if found else text
    known = text in _MAGNITUDES or text in _SECONDS or text in ("", "m", "B", "C", "F", "x") or text in _PERCENT
    return known or any(form.fullmatch(text) for form in (_BINARY, _DATA, _PHYSICAL))


def _unit(text: str, others: Iterable[str], *, has_bare: bool) -> Unit | None:
    """Return what a unit means beside the others of its column, or None."""
    if len(text) > _MOST_LENGTH:
        return None
    per = _PER.fullmatch(text)
    if per:
        counted = _unit(per[1], others, has_bare=has_bare) if per[1] else BARE
        seconds = _SECONDS[per[2]]
        return None if counted is None else Unit(f"{counted.base}/s".strip(), counted.factor / seconds)
    word, _, noun = text.partition(" ")
    if noun and _magnitude(word, others, has_bare=has_bare):
        return Unit(noun, _magnitude(word, others, has_bare=has_bare) or 1.0)
    magnitude = _magnitude(text, others, has_bare=has_bare)
    if magnitude is not None:
        return Unit("", magnitude, is_magnitude=True)
    if text == "m" or text in _SECONDS:
        return Unit("s", 60.0 if text == "m" else _SECONDS[text])
    if text in _PERCENT:
        return Unit("%", 1.0)
    physical = _PHYSICAL.fullmatch(text)
    if physical:
        return Unit(physical[2], _SMALL_PREFIXES.get(physical[1]) or _PREFIXES[physical[1]])
    return _data(text) or Unit(text, 1.0)


def _magnitude(text: str, others: Iterable[str], *, has_bare: bool) -> float | None:
    """Return what a text multiplies by. `m` is a thousandth beside bare numbers, `B` a billion beside K and M."""
    beside = [one.partition(" ")[0] for one in others if one != text]
    if text == "m":
        times = any(one in _SECONDS for one in beside)
        return 1e-3 if not times and (has_bare or any(one in _MAGNITUDES for one in beside)) else None
    if text == "B":
        return 1e9 if any(one in ("K", "k", "M", "T", "Mil") for one in beside) else None
    return _MAGNITUDES.get(text)


def _data(text: str) -> Unit | None:
    binary = _BINARY.fullmatch(text)
    if binary:
        return Unit("bytes", 1024.0 ** ("KMGTPE".index(binary[1].upper()) + 1))
    data = _DATA.fullmatch(text)
    if not data:
        return None
    base = "bits" if data[2].startswith("bit") or data[2] in ("b", "Bits", "bps") else "bytes"
    return Unit(base + ("/s" if data[2].endswith("ps") else ""), _PREFIXES[data[1]])


def _short(text: str) -> str:
    return _DATA_BASE.get(text, text)
