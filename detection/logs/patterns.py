"""Named patterns: regular expressions that a team watches for, each with a severity.

Expressions come from people and lines from anywhere, so no pair of them may take long. They are run by RE2 (Cox,
"Regular Expression Matching in the Wild", 2010), whose time is linear in the length of the line for every expression it
accepts: nothing has to be stopped, and a busy worker's clock decides nothing. The price is that it knows no
look-around and no back-references, which is said when the pattern is added. The alternative that was weighed,
`regex` with a time limit, accepts both but answers differently on a slow machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import re2

from detection.types import Severity

MAXIMUM_EXPRESSION_LENGTH = 2_000
MAXIMUM_LINE_BYTES = 32_768
"""Of a longer line the beginning is looked at."""

_MEMORY_BYTES = 16 * 1024 * 1024


class PatternError(ValueError):
    """An expression that cannot be a pattern; the text says why and may be shown to the person who wrote it."""


@dataclass(frozen=True, slots=True)
class NamedPattern:
    """A line that `expression` finds anywhere in it is of this kind; upper and lower case are told apart."""

    name: str
    expression: str
    severity: Severity
    description: str = ""


class PatternMatcher:
    """Tells which of some patterns a line matches.

    Raises PatternError when made with one that is not valid.
    """

    def __init__(self, patterns: Sequence[NamedPattern]) -> None:
        self.patterns = tuple(patterns)
        self._compiled = [(one, _compiled(one.expression)) for one in self.patterns]
        # Nearly every line matches none: one look at all expressions at once tells.
        self._any = _compiled_together(self.patterns)

    def matches(self, line: str) -> list[NamedPattern]:
        """Return the patterns found in the line, in the order given."""
        text = line[:MAXIMUM_LINE_BYTES].encode(errors="replace")[:MAXIMUM_LINE_BYTES]
        if self._any is not None and self._any.search(text) is None:
            return []
        return [pattern for pattern, expression in self._compiled if expression.search(text) is not None]


def check(expression: str) -> None:
    """Raise PatternError when the expression cannot be a pattern."""
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
    """Return one expression for all, or None when they are too large together."""
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
    told = error.args[0] if error.args else ""
    text = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
    if "invalid perl operator" in text or "invalid escape sequence: \\" in text:
        return f"{text} (look-around and back-references are not available)"
    return text
