"""What the `argux patterns` commands do: add, list and try out named patterns of log lines."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy.orm import Session

from bot.commands.errors import CommandError
from bot.commands.frame import shorten
from bot.commands.person import user_name
from bot.terminal import shown
from detection.logs.patterns import NamedPattern, PatternError, PatternMatcher
from detection.types import Severity
from storage import audit
from storage.errors import NotFoundError
from workers.rules import log_patterns
from workers.rules.log_patterns import Pattern
from workers.services import Services
from workers.words.text import counted

MOST_SHOWN = 20
_LINE_LENGTH = 200


def add(services: Services, session: Session, name: str, expression: str, severity: str, description: str) -> Pattern:
    """Start to watch for a pattern. Raises CommandError for an unknown severity."""
    pattern = log_patterns.add_pattern(
        session,
        name=name,
        expression=expression,
        severity=_severity(severity),
        description=description,
        by=user_name(),
        now=services.clock(),
    )
    _record(services, session, "pattern_added", name=name, expression=expression)
    return pattern


def switch(services: Services, session: Session, name: str, *, enabled: bool) -> None:
    """Turn a pattern on or off. Raises NotFoundError if there is none."""
    log_patterns.switch_pattern(session, name, enabled=enabled, by=user_name(), now=services.clock())
    _record(services, session, "pattern_switched", name=name, enabled=enabled)


def remove(services: Services, session: Session, name: str) -> None:
    """Delete one of the team's own patterns. Raises WrongPatternError for a built-in one."""
    log_patterns.remove_pattern(session, name)
    _record(services, session, "pattern_removed", name=name)


def _record(services: Services, session: Session, event: str, **payload: str | bool) -> None:
    now = services.clock()
    audit.append(session, key=services.audit_key, actor=user_name(), event=event, payload=payload, now=now)


def print_all(session: Session, console: Console) -> None:
    """Print a table with one row per pattern."""
    table = Table("name", "severity", "", "expression")
    for pattern in log_patterns.list_patterns(session):
        origin = "built in" if pattern.built_in else "own"
        table.add_row(
            shown(pattern.name),
            pattern.severity,
            origin if pattern.enabled else f"{origin}, off",
            shown(shorten(pattern.expression, 80)),
        )
    console.print(table)


def print_matches(session: Session, name_or_expression: str, subject: str | None, console: Console) -> int:
    """Print the lines that a pattern matches and return the exit code: like grep, 0 if any line matches, else 1.

    subject: a file, a text, or None for standard input. A known name selects that pattern; anything else is read as an
    expression. Raises CommandError for an expression that is not valid.
    """
    try:
        pattern = log_patterns.find_pattern(session, name_or_expression).named
    except NotFoundError:
        pattern = NamedPattern("this expression", name_or_expression, Severity.SEV4)
    try:
        matcher = PatternMatcher([pattern])
    except PatternError as error:
        raise CommandError(str(error)) from error
    line_count, match_count = 0, 0
    for line in _lines(subject):
        line_count += 1
        if matcher.matches(line):
            match_count += 1
            if match_count <= MOST_SHOWN:
                console.print(shown(shorten(line, _LINE_LENGTH)), soft_wrap=True)
    if match_count > MOST_SHOWN:
        console.print(f"… and {match_count - MOST_SHOWN:,} more", highlight=False)
    console.print(
        f"{match_count:,} of {counted(line_count, 'line')} {'matches' if match_count == 1 else 'match'}.",
        highlight=False,
    )
    return 0 if match_count else 1


def _severity(word: str) -> Severity:
    if word not in list(Severity):
        raise CommandError(f"--severity must be one of {', '.join(Severity)}, not {word}.")
    return Severity(word)


def _lines(subject: str | None) -> Iterator[str]:
    """Return the lines of the file `subject`, of the text `subject` if there is no such file, or of standard input."""
    if subject is None:
        yield from _without_newlines(sys.stdin)
    elif _is_file(subject):
        with Path(subject).open(encoding="utf-8", errors="replace") as file:
            yield from _without_newlines(file)
    else:
        yield from subject.splitlines()


def _is_file(subject: str) -> bool:
    try:
        return Path(subject).is_file()
    except (OSError, ValueError):
        return False


def _without_newlines(lines: Iterable[str]) -> Iterator[str]:
    return (line.rstrip("\r\n") for line in lines)
