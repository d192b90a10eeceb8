"""What senders call a severity, in words and in numbers, as one of OpenTelemetry's six.

Words are the same in any case and at every door. What a number means depends on the name of its field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from integrations.inbound.lines.escapes import plain

SEVERITIES = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")

_WORDS: Mapping[str, str] = {
    word: severity
    for severity, words in {
        "TRACE": "trace trc trce trac verbose vrb verb silly finest finer notset",
        "DEBUG": "debug dbg dbug debu fine config",
        "INFO": "info inf information informational notice note ok success log http system",
        "WARN": "warn warning wrn deprecated caution",
        "ERROR": "error err erro eror severe failure fail exception",
        "FATAL": "fatal ftl fata critical crit crt alert emergency emerg panic pani dpanic",
    }.items()
    for word in words.split()
}
_LETTERS = {"d": "DEBUG", "i": "INFO", "w": "WARN", "e": "ERROR", "f": "FATAL"}
_SLOG = re.compile(r"(debug|info|warn|error)([+-]\d{1,3})")
_SLOG_NUMBERS = {"debug": -4, "info": 0, "warn": 4, "error": 8}
"""Go's slog names a level by the next lower of its four: `DEBUG-4` is a trace, `ERROR+4` is worse than an error."""

_GRADED = re.compile(r"([a-z]+?)(?:[+-]\d+|[1-5])")
"""`INFO2` of OpenTelemetry, `D1` of MongoDB, `WARNING+1`."""

_SYSLOG = ("FATAL", "FATAL", "FATAL", "ERROR", "WARN", "INFO", "INFO", "DEBUG")
_OF_DOTNET = (*SEVERITIES, "INFO")
_OF_WINDOWS = ("INFO", "FATAL", "ERROR", "WARN", "INFO", "TRACE")
_OF_AZURE = ("TRACE", "INFO", "WARN", "ERROR", "FATAL")
_MONOLOG = ((600, "FATAL"), (500, "FATAL"), (400, "ERROR"), (300, "WARN"), (200, "INFO"), (100, "DEBUG"))
_JAVA_UTIL = ((1000, "ERROR"), (900, "WARN"), (800, "INFO"), (700, "DEBUG"))
_LONGEST_WORD = 40


def severity(word: object, default: str = "INFO") -> str:
    """Map a sender's severity word to ours: "warning" is WARN, "emerg" is FATAL, unknown words are `default`."""
    return known(word) or default


def known(word: object) -> str | None:
    """Return the severity that a word names, or None if it names none."""
    return _named(word) if isinstance(word, str) and len(word) <= _LONGEST_WORD else None


@lru_cache(maxsize=4096)
def _named(word: str) -> str | None:
    bare = plain(word).strip(" \t\r\n[]<>():").lower()
    found = _WORDS.get(bare) or _LETTERS.get(bare)
    if found is None and (slog := _SLOG.fullmatch(bare)):
        return SEVERITIES[max(0, min((_SLOG_NUMBERS[slog[1]] + int(slog[2])) // 4 + 2, 5))]
    if found is None and (graded := _GRADED.fullmatch(bare)):
        found = _WORDS.get(graded[1]) or _LETTERS.get(graded[1])
    return found


def of_syslog(number: int) -> str | None:
    """Map syslog's severity, 0 to 7: emergency, alert, critical, error, warning, notice, informational, debug."""
    return _SYSLOG[number] if 0 <= number < len(_SYSLOG) else None


def of_opentelemetry(number: int) -> str | None:
    """Map OpenTelemetry's severity number: four numbers for each of ours, 1 to 24."""
    return SEVERITIES[(number - 1) // 4] if 1 <= number <= 4 * len(SEVERITIES) else None


def of_python(number: int) -> str | None:
    """Map the number of Python's logging: 10 is DEBUG, 50 is CRITICAL."""
    return SEVERITIES[min(number // 10, 5)] if 0 < number < 100 else None


def of_dotnet(number: int) -> str | None:
    """Map .NET's LogLevel: 0 is Trace, 5 is Critical, 6 is None."""
    return _OF_DOTNET[number] if 0 <= number < len(_OF_DOTNET) else None


def of_azure(number: int) -> str | None:
    """Map the severityLevel of Application Insights: 0 is Verbose, 4 is Critical."""
    return _OF_AZURE[number] if 0 <= number < len(_OF_AZURE) else None


def of_windows(number: int) -> str | None:
    """Map the Level of an event of Windows: 1 is Critical, 4 Information, 5 Verbose; 0 is logged always."""
    return _OF_WINDOWS[number] if 0 <= number < len(_OF_WINDOWS) else None


def of_nxlog(number: int) -> str | None:
    """Map the SeverityValue of NXLog: 1 is DEBUG, 5 CRITICAL."""
    return SEVERITIES[number] if 1 <= number <= 5 else None


def of_severity(number: int) -> str | None:
    """Map a number called severity: syslog's up to 7, OpenTelemetry's up to 24, else a logger's."""
    return of_syslog(number) or of_opentelemetry(number) or of_logger(number)


def of_text(text: str) -> str | None:
    """Map a severity given as text: a word, or a number of syslog (to 7), of a logger (10, 20 …) or OpenTelemetry's."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        return known(text)
    number = int(text)
    return of_syslog(number) or (of_logger(number) if number % 10 == 0 else of_opentelemetry(number))


def of_logger(number: int) -> str | None:
    """Map a number called level, by its size: pino's and bunyan's 10 to 60, Monolog's 100 to 600, and Java's.

    A number below 10 is None: what counts from 0 counts in either direction.
    """
    if 10 <= number < 70:
        return SEVERITIES[number // 10 - 1]
    if 100 <= number <= 600:
        return _at_least(number, _MONOLOG)
    if 700 <= number <= 1000:
        return _at_least(number, _JAVA_UTIL)
    if 5_000 <= number <= 50_000:
        return SEVERITIES[number // 10_000]
    return None


def _at_least(number: int, steps: Sequence[tuple[int, str]]) -> str | None:
    return next((name for least, name in steps if number >= least), None)
