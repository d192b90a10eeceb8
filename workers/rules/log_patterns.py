"""The named log patterns: the built-in ones, and those that a team adds, turns off and removes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from detection.logs.built_in_patterns import BUILT_IN
from detection.logs.patterns import NamedPattern, PatternError, check
from detection.types import Severity
from storage import log_patterns as stored
from storage.errors import NameTakenError, NotFoundError
from storage.models import LogPattern
from workers.errors import WorkerError

MAXIMUM_PATTERNS = 200
"""The limit exists because every line is searched for every pattern."""

MAXIMUM_DESCRIPTION_LENGTH = 300
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}\Z")
_BUILT_IN = {pattern.name: pattern for pattern in BUILT_IN}


class WrongPatternError(WorkerError):
    """The pattern is not valid; `field` names the wrong field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Pattern:
    """A named pattern as people see it."""

    name: str
    expression: str
    severity: Severity
    description: str
    enabled: bool
    built_in: bool

    @property
    def named(self) -> NamedPattern:
        """The pattern in detection's own type."""
        return NamedPattern(self.name, self.expression, self.severity, self.description)


def list_patterns(session: Session) -> list[Pattern]:
    """Return all patterns: the built-in ones first, then the team's own, by name."""
    rows = {row.name: row for row in stored.list_patterns(session)}
    built_in = [
        _built_in(pattern, rows.get(pattern.name)) for pattern in BUILT_IN if not _is_own(rows.get(pattern.name))
    ]
    own = [_own(row) for row in rows.values() if _is_own(row)]
    return built_in + own


def find_pattern(session: Session, name: str) -> Pattern:
    """Return the pattern of this name; raise NotFoundError if there is none."""
    found = next((pattern for pattern in list_patterns(session) if pattern.name == name), None)
    if found is None:
        raise NotFoundError("pattern", name)
    return found


def add_pattern(
    session: Session, *, name: str, expression: str, severity: Severity, description: str, by: str, now: datetime
) -> Pattern:
    """Add a pattern, which is watched from the next tick on.

    Raise WrongPatternError, or NameTakenError when the name is in use. The name of a built-in pattern counts as in use
    until that pattern is turned off.
    """
    if not _NAME.match(name):
        raise WrongPatternError(
            "name", "A name has letters, digits, blanks, dots, hyphens and underscores: 100 at most."
        )
    if len(description) > MAXIMUM_DESCRIPTION_LENGTH:
        raise WrongPatternError(
            "description", f"The description is longer than {MAXIMUM_DESCRIPTION_LENGTH} characters."
        )
    try:
        check(expression)
    except PatternError as error:
        raise WrongPatternError("expression", str(error)) from error
    there = stored.find_pattern(session, name)
    if name in _BUILT_IN and there is None:
        raise NameTakenError(f"There is a built-in pattern called {name}; turn it off first, or take another name.")
    if there is not None and not _is_own(there):
        stored.remove_pattern(session, name)
    if len(stored.list_patterns(session)) >= MAXIMUM_PATTERNS:
        raise WrongPatternError("name", f"There are {MAXIMUM_PATTERNS} patterns already; remove one first.")
    row = stored.add_pattern(
        session, name=name, expression=expression, severity=severity, description=description, by=by, now=now
    )
    return _own(row)


def switch_pattern(session: Session, name: str, *, enabled: bool, by: str, now: datetime) -> Pattern:
    """Turn a pattern on or off; raise NotFoundError if there is none."""
    row = stored.find_pattern(session, name)
    built_in = _BUILT_IN.get(name)
    if row is not None and _is_own(row):
        row.enabled = enabled
        return _own(row)
    if built_in is None:
        raise NotFoundError("pattern", name)
    if row is not None and enabled:
        stored.remove_pattern(session, name)
    elif row is None and not enabled:
        stored.add_pattern(
            session,
            name=name,
            expression="",
            severity=built_in.severity,
            description="",
            enabled=False,
            by=by,
            now=now,
        )
    return _built_in(built_in, stored.find_pattern(session, name))


def remove_pattern(session: Session, name: str) -> None:
    """Delete one of the team's own patterns.

    Raise WrongPatternError for a built-in one, which can only be turned off; NotFoundError if there is none.
    """
    row = stored.find_pattern(session, name)
    if row is not None and _is_own(row):
        stored.remove_pattern(session, name)
    elif name in _BUILT_IN:
        raise WrongPatternError("name", f"The pattern {name} is built in: it can be turned off, not removed.")
    else:
        raise NotFoundError("pattern", name)


def _is_own(row: LogPattern | None) -> bool:
    """Return whether a row is a team's own pattern. A row without expression marks a built-in one as turned off."""
    return row is not None and bool(row.expression)


def _own(row: LogPattern) -> Pattern:
    return Pattern(row.name, row.expression, Severity(row.severity), row.description, row.enabled, built_in=False)


def _built_in(pattern: NamedPattern, row: LogPattern | None) -> Pattern:
    return Pattern(
        pattern.name, pattern.expression, pattern.severity, pattern.description, enabled=row is None, built_in=True
    )
