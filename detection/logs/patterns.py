"""Named patterns: regular expressions that a team watches for, each with a severity.

Users write the expressions and lines can hold anything, so no combination may take long. RE2 matches them (Cox,
"Regular Expression Matching in the Wild", 2010): its time is linear in the length of the line for every expression it
accepts, so no timeout is needed and the load of a worker cannot change a result. The price is that RE2 has no
look-around and no back-references; adding such a pattern fails with a message that explains it. The alternative,
`regex` with a time limit, accepts both but gives different answers on a slow machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import re2

from detection.types import Severity

MAXIMUM_EXPRESSION_LENGTH = 2_000
MAXIMUM_LINE_BYTES = 32_768
"""Only this many bytes from the start of a line are matched."""

_MEMORY_BYTES = 16 * 1024 * 1024


class PatternError(ValueError):
    """The expression is not a valid pattern; the message gives the reason and may be shown to its author."""


@dataclass(frozen=True, slots=True)
class NamedPattern:
    """A pattern that matches every line in which `expression` occurs anywhere; it is case-sensitive."""

    name: str
    expression: str
    severity: Severity
    description: str = ""


class PatternMatcher:
    """Find which of several patterns a line matches.

    Raises PatternError on construction if a pattern is not valid.
    """

    def __init__(self, patterns: Sequence[NamedPattern]) -> None:
        self.patterns = tuple(patterns)
        self._compiled = [(one, _compiled(one.expression)) for one in self.patterns]
        # Nearly every line matches no pattern: one combined expression rules all of them out at once.
        self._any = _compiled_together(self.patterns)

    def matches(self, line: str) -> list[NamedPattern]:
        """Return the patterns that match the line, in the order given to the constructor."""
        text = line[:MAXIMUM_LINE_BYTES].encode(errors="replace")[:MAXIMUM_LINE_BYTES]
        if self._any is not None and self._any.search(text) is None:
            return []
        return [pattern for pattern, expression in self._compiled if expression.search(text) is not None]


def check(expression: str) -> None:
    """Raise PatternError when the expression is not a valid pattern."""
    _compiled(expression)


def _compiled(expression: str) -> re2._Regexp:
    if not expression.strip():
        raise PatternError("The expression is empty.")
    if len(expression) > MAXIMUM_EXPRESSION_LENGTH:
        raise PatternError(f"The expression is longer than {MAXIMUM_EXPRESSION_LENGTH} characters.")
    try:
        compiled = re2.compile(expression.encode(), _options())
    except (re2.error, UnicodeEncodeError) as error:
        raise PatternError(f"The expression is not valid here: {_reason(error)}.") from error
    if compiled.search(b"") is not None:
        raise PatternError("The expression matches an empty line, and so every line.")
    return compiled


def _compiled_together(patterns: Sequence[NamedPattern]) -> re2._Regexp | None:
    """Return one expression that matches any of the patterns; None without patterns or when it is too large."""
    together = "|".join(f"(?:{one.expression})" for one in patterns)
    try:
        return re2.compile(together.encode(), _options()) if patterns else None
    except re2.error:
        return None


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY_BYTES
    return options


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    if "invalid perl operator" in text or "invalid escape sequence: \\" in text:
        return f"{text} (look-around and back-references are not available)"
    return text
