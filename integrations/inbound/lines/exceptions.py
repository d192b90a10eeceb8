"""Recognise what programs print when they fail, in any of the common languages."""

from __future__ import annotations

import re

from integrations.inbound.lines import frames
from integrations.inbound.lines.language import Language
from integrations.inbound.lines.languages import LANGUAGES
from integrations.inbound.lines.scripting_languages import PERL, PYTHON

_HEADER = re.compile(
    r"(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8} \S+ [\w./-]+(?:\[\d+\])?: |kernel: )?"
    r"(?:[\[(]?\d[\d:.,/+\-TZ ]{6,40}[\])]?\s+)?(?:(?:[\w.]{1,40}=\S{1,80}|\[[^\]\n]{1,60}\])\s+){0,3}"
)
"""A time, a few brackets and pairs, which some programs print before an exception."""

_TRACEBACK = "Traceback (most recent call last):"
_OTHERS = tuple(language for language in LANGUAGES if language not in (PYTHON, PERL))
_BEGINS = re.compile("|".join(f"(?:{language.begins.pattern})" for language in _OTHERS), re.X)
"""The first line of any but Python's and Perl's, which are found by their words: one expression, as most match none."""

_LINE_SEARCHED = 500
_LINES_SEARCHED = 100


def language_of(line: str) -> Language | None:
    """Return the language whose trace begins with this line, or None."""
    beginning = frames.unprefixed(line[:_LINE_SEARCHED])[1]
    if _TRACEBACK in beginning and PYTHON.begins.match(beginning):
        return PYTHON
    if beginning.endswith(".") and " line " in beginning and PERL.begins.match(beginning):
        return PERL
    header = _HEADER.match(beginning)
    place = 0 if header is None else header.end()
    if not _BEGINS.match(beginning, place):
        return None
    return next((language for language in _OTHERS if language.begins.match(beginning, place)), None)


def language_in(text: str) -> Language | None:
    """Return the language of the first trace that begins in a text of one or more lines, or None."""
    if "\n" not in text:
        return language_of(text)
    lines = text.split("\n", _LINES_SEARCHED)[:_LINES_SEARCHED]
    return next((language for line in lines if (language := language_of(line)) is not None), None)


def severity_of(text: str) -> str | None:
    """Return ERROR or FATAL for a text that is an exception or a trace, or that has one below its first line."""
    language = language_in(text)
    if language is not None:
        return language.severity
    return "ERROR" if "\n" in text and _has_stack(text) else None


def _has_stack(text: str) -> bool:
    """Whether a stack stands below the first line of a text."""
    _, *lines = text.split("\n", _LINES_SEARCHED)[:_LINES_SEARCHED]
    return any(frames.opens_stack(frames.unprefixed(line)[1]) for line in lines)
