"""`argux patterns …` and `argux logs …`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from bot.intervals import IntervalError, read_interval
from detection.logs.diff import Change, TemplateChange
from detection.logs.patterns import NamedPattern, PatternError, PatternMatcher
from detection.types import Severity
from storage.errors import NotFoundError
from workers.rules import log_patterns
from workers.rules.log_patterns import Pattern
from workers.services import Services
from workers.watching import log_queries
from workers.words.text import counted

MOST_SHOWN = 20
MOST_CHANGES = 50
_LINE_LENGTH = 200


class CommandError(ValueError):
    """What was asked for cannot be done; the message says why."""


def add(session: Session, name: str, expression: str, severity: str, description: str, now: datetime) -> Pattern:
    """Watch for a pattern."""
    return log_patterns.add_pattern(
        session,
        name=name,
        expression=expression,
        severity=_severity(severity),
        description=description,
        by="the command line",
        now=now,
    )


def show_all(session: Session, console: Console) -> None:
    """One row a pattern."""
    table = Table("name", "severity", "", "expression")
    for pattern in log_patterns.list_patterns(session):
        origin = "built in" if pattern.built_in else "own"
        table.add_row(
            escape(pattern.name),
            pattern.severity,
            origin if pattern.enabled else f"{origin}, off",
            escape(_short(pattern.expression, 80)),
        )
    console.print(table)


def try_out(session: Session, name_or_expression: str, subject: str | None, console: Console) -> int:
    """Show which lines a pattern finds: of a file, of a text, or of what comes in. Returns the exit code, as grep's.

    A name that is known is that pattern; anything else is an expression.
    """
    try:
        pattern = log_patterns.find_pattern(session, name_or_expression).named
    except NotFoundError:
        pattern = NamedPattern("this expression", name_or_expression, Severity.SEV4)
    try:
        matcher = PatternMatcher([pattern])
    except PatternError as error:
        raise CommandError(str(error)) from error
    looked_at, found = 0, 0
    for line in _lines(subject):
        looked_at += 1
        if matcher.matches(line):
            found += 1
            if found <= MOST_SHOWN:
                console.print(_short(line, _LINE_LENGTH), markup=False, highlight=False, soft_wrap=True)
    if found > MOST_SHOWN:
        console.print(f"… and {found - MOST_SHOWN:,} more", highlight=False)
    console.print(f"{found:,} of {counted(looked_at, 'line')} {'matches' if found == 1 else 'match'}.", highlight=False)
    return 0 if found else 1


def diff(services: Services, before: str, after: str, service: str | None, console: Console) -> None:
    """What the logs say in one window that they did not in another."""
    try:
        windows = [read_interval(text) for text in (before, after)]
    except IntervalError as error:
        raise CommandError(str(error)) from error
    now = services.clock().timestamp()
    _, _, changes = log_queries.differences(services.telemetry, windows[0], windows[1], service, now=now)
    changed = [change for change in changes if change.change is not Change.SAME]
    if not changed:
        heard = f"{counted(len(changes), 'template')} {'was' if len(changes) == 1 else 'were'} heard about as often"
        console.print(f"Nothing has changed: {heard}.", highlight=False)
        return
    console.print(_table(changed[:MOST_CHANGES]))
    rest = len(changes) - len(changed)
    has, has_not = ("has" if len(changed) == 1 else "have"), ("has" if rest == 1 else "have")
    console.print(f"{counted(len(changed), 'template')} {has} changed, {rest:,} {has_not} not.", highlight=False)


def _table(changes: Sequence[TemplateChange]) -> Table:
    table = Table("", "service", "template")
    for name in ("lines before", "after", "a minute before", "after"):
        table.add_column(name, justify="right")
    for one in changes:
        table.add_row(
            one.change,
            escape(one.series.service),
            escape(_short(one.series.text, 100)),
            f"{one.lines_before:,}",
            f"{one.lines_after:,}",
            f"{one.rate_before:,.2f}",
            f"{one.rate_after:,.2f}",
        )
    return table


def _severity(word: str) -> Severity:
    if word not in list(Severity):
        raise CommandError(f"--severity must be one of {', '.join(Severity)}, not {word}.")
    return Severity(word)


def _lines(subject: str | None) -> Iterator[str]:
    """A file's lines; a text's, where there is no such file; what comes in, where nothing is given."""
    if subject is None:
        yield from _stripped(sys.stdin)
    elif _is_file(subject):
        with Path(subject).open(encoding="utf-8", errors="replace") as file:
            yield from _stripped(file)
    else:
        yield from subject.splitlines()


def _is_file(subject: str) -> bool:
    try:
        return Path(subject).is_file()
    except (OSError, ValueError):
        return False


def _stripped(lines: Iterable[str]) -> Iterator[str]:
    return (line.rstrip("\r\n") for line in lines)


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
