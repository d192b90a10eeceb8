"""How the stack traces of a programming language look."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """How traces of one language look, beside what they share (`frames`). severity: of a trace.

    begins: the first line. goes_on: a line that surely belongs to the trace above it. leads_to_any: a first line after
    which one line may say anything. ends: a line after others that closes the trace, unless a line `resumes` it.
    adds: a line that may still follow its end. hands_over: how the trace goes on from a line that begins one of this
    language.
    """

    severity: str
    begins: re.Pattern[str]
    goes_on: re.Pattern[str]
    leads_to_any: re.Pattern[str] | None = None
    ends: re.Pattern[str] | None = None
    resumes: re.Pattern[str] | None = None
    adds: re.Pattern[str] | None = None
    hands_over: Language | None = None


def compiled(expression: str) -> re.Pattern[str]:
    """Compile an expression whose blanks mean nothing."""
    return re.compile(expression, re.X)
