"""Numbers as code and configuration write them: "15m", 5*time.Second, Duration.ofSeconds(3), 5_000, "512Mi", 500m."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from workers.diagnosis.changes.text.words import word_set, words_of

_SECONDS = {
    "nanosecond": 1e-9, "nanos": 1e-9, "ns": 1e-9, "microsecond": 1e-6, "micros": 1e-6, "us": 1e-6,
    "millisecond": 1e-3, "millis": 1e-3, "milli": 1e-3, "msec": 1e-3, "ms": 1e-3,
    "second": 1.0, "sec": 1.0, "secs": 1.0, "s": 1.0, "minute": 60.0, "min": 60.0, "mins": 60.0, "m": 60.0,
    "hour": 3600.0, "hr": 3600.0, "h": 3600.0, "day": 86400.0, "d": 86400.0, "week": 604800.0, "w": 604800.0,
}  # fmt: skip
_BYTES = {
    "b": 1.0, "byte": 1.0, "k": 1e3, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "g": 1e9, "t": 1e12,
    "ki": 2.0**10, "mi": 2.0**20, "gi": 2.0**30, "ti": 2.0**40, "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30,
}  # fmt: skip
_SECONDS_OF_CALLS = {"expire": 1.0, "setex": 1.0, "psetex": 1e-3, "pexpire": 1e-3}
"""The unit that a function of a store takes its bare numbers in."""

_MEMORY_WORDS = word_set(
    """
    memory mem heap size bytes body storage disk xmx xms cache upload buffer payload
    """
)
_PROCESSOR_WORDS = frozenset(["cpu", "cpus", "processor"])
_TIME_WORD = r"(?:nano|micro|milli)?seconds?|millis|nanos|micros|minutes?|hours?|days?|weeks?|ms|secs?|mins?"
_NUMBER = r"\d[\d_,]*\d(?:\.\d+)?(?:[eE][+-]?\d+)?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_FACTORS = rf"(?:\s*\*\s*(?:{_NUMBER}))*"
_UNIT = r"r/[sm]|[KMGT]i?B|[KMGT]i|msecs?|secs?|mins?|hrs?|ns|us|µs|ms|[smhdwKGTk]|%"

_FORMS = re.compile(
    "|".join(
        (
            # 15 * time.Minute, 5*SECONDS
            rf"(?P<n1>{_NUMBER})\s*\*\s*(?:[\w.]*[.:])?(?P<u1>{_TIME_WORD})\b",
            # time.Minute * 15
            rf"\b[a-z]+\.(?P<u2>{_TIME_WORD})\s*\*\s*(?P<n2>{_NUMBER})",
            # Duration.ofSeconds(3), TimeSpan.FromSeconds(30), Duration::from_secs(5)
            rf"\b(?:Duration|TimeSpan|Period)(?:\.|::)_?(?:of|"
            rf"from)_?(?P<u3>{_TIME_WORD})\s*\(\s*(?P<n3>{_NUMBER}){_FACTORS}",
            # timedelta(minutes=5), relativedelta(days=1)
            rf"\b\w*delta\(\s*(?P<u4>{_TIME_WORD})\s*=\s*(?P<n4>{_NUMBER})\s*\)",
            # 5.minutes, 30.seconds.to_i
            rf"(?<![\w.])(?P<n5>\d+)\.(?P<u5>{_TIME_WORD})\b",
            # 10, TimeUnit.SECONDS
            rf"(?<![\w.])(?P<n6>{_NUMBER})L?\s*,\s*(?:TimeUnit|ChronoUnit)\.(?P<u6>{_TIME_WORD})\b",
            # 1h30m
            r"(?<![\w.-])(?P<n7>(?:\d+(?:h|m|s|ms)){2,})(?![\w.-])",
            # 60 * 60 * 24
            rf"(?<![\w.])(?P<n8>(?:{_NUMBER})(?:\s*\*\s*(?:{_NUMBER}))+)(?![\w.])",
            # 512Mi, 500m, 15s, 30 %, 5_000, 0.5
            rf"(?<![\w.])(?P<n9>-?(?:{_NUMBER}))(?:(?P<u9>{_UNIT})|\s+(?P<u10>ms|{_TIME_WORD}|"
            rf"[KMG]i?B))?[lLfFuU]*(?![\w.-]*[A-Za-z_]|\.?\d)",
        )
    ),
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number. unit: "seconds", "bytes", "cores", "share", "per second", or "" for a value as written."""

    start: int
    end: int
    written: str
    value: float
    unit: str


def quantities(line: str) -> Iterator[Quantity]:
    """Yield the numbers of a line, from left to right. Digits within names, versions and addresses are none."""
    for match in _FORMS.finditer(line):
        groups = {name: text for name, text in match.groupdict().items() if text is not None}
        number = next(text for name, text in groups.items() if name.startswith("n"))
        unit = next((text for name, text in groups.items() if name.startswith("u")), "")
        value, kind = _read(number, unit, match.group(), words_of(line[: match.start()]))
        yield Quantity(match.start(), match.end(), match.group().strip(), value, kind)


def _read(number: str, unit: str, whole: str, before: frozenset[str]) -> tuple[float, str]:
    """Return the value and its unit; `before`: the words before it, which tell a minute from a thousandth of a core."""
    if parts := re.findall(r"(\d+)(ms|h|m|s)", number):
        return sum(float(digits) * _SECONDS[part] for digits, part in parts), "seconds"
    value = 1.0
    for factor in (whole if not unit and "*" in whole else number).split("*"):
        value *= float(re.sub(r"[_,]", "", factor.strip()))
    lower = unit.lower().rstrip("s") if len(unit) > 2 else unit.lower()
    if unit in ("r/s", "r/m"):
        return value / (60 if unit == "r/m" else 1), "per second"
    if unit == "%":
        return value / 100, "share"
    if lower == "m" and unit == "m" and before & _PROCESSOR_WORDS:
        return value / 1000, "cores"
    if lower in _BYTES and (unit[0] in "KMGTkgt" and unit != "m") and (len(unit) > 1 or before & _MEMORY_WORDS):
        return value * _BYTES[lower], "bytes"
    if lower == "m" and before & _MEMORY_WORDS:
        return value * 1e6, "bytes"
    if lower in _SECONDS:
        return value * _SECONDS[lower], "seconds"
    return value * _BYTES.get(lower, 1.0), ""


def in_unit_of(name: str, quantity: Quantity) -> tuple[float, str]:
    """Return a bare number in the unit that its name says: timeoutMs = 300 is 0.3 seconds."""
    if quantity.unit:
        return quantity.value, quantity.unit
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower().replace("-", "_").replace(".", "_").split("_")
    if _PROCESSOR_WORDS & set(words):
        return quantity.value, "cores"
    if seconds := _SECONDS_OF_CALLS.get(words[-1]):
        return quantity.value * seconds, "seconds"
    for word in reversed(words[-2:] if words else []):
        lower = word.rstrip("s") if len(word) > 2 else word
        if lower in _SECONDS and len(word) > 1 and lower not in ("min", "us"):
            return quantity.value * _SECONDS[lower], "seconds"
        if word in ("kb", "mb", "gb", "bytes"):
            return quantity.value * _BYTES.get(word, 1.0), "bytes"
    return quantity.value, ""
