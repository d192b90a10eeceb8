"""The interface between the log roll-up and the reader of lines: detection's template miner and pattern matcher."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptTemplates:
    """The stored template state of a service, loaded only when needed.

    version: None before anything was stored; `load` must not be called then. texts: loads the texts of the templates
    that lines are counted under, by id, for when the state cannot be read.
    """

    version: str | None
    load: Callable[[], bytes]
    texts: Callable[[], Mapping[str, str]] = dict


@dataclass(frozen=True, slots=True)
class LearntTemplates:
    """A template state to store. The version changes whenever the state does."""

    version: str
    state: bytes


@dataclass(frozen=True, slots=True)
class StoredPattern:
    """A row of log_patterns."""

    name: str
    expression: str
    severity: str
    description: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class LinePattern:
    """A named pattern in force; `text` describes what it means."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class LogReading:
    """The templates of some lines of one service.

    template_ids: one per line. texts: the text of every template that the service has now, by id. resolve: maps the id
    of an earlier template that no longer exists to the id of its successor. learnt: the state to store instead of the
    loaded one; None if nothing changed.
    """

    template_ids: Sequence[str]
    texts: Mapping[str, str]
    resolve: Callable[[str], str]
    learnt: LearntTemplates | None


class LogReader(Protocol):
    """Finds templates and patterns in lines. Used by one thread at a time."""

    def read(self, service: str, lines: Sequence[str], kept: KeptTemplates) -> LogReading:
        """Learn templates from lines, starting from the stored state; never from a state that was not committed."""
        ...

    def matches(
        self, lines: Sequence[str], ranks: Sequence[int], stored: Sequence[StoredPattern]
    ) -> Mapping[LinePattern, Sequence[int]]:
        """Return the indices of the lines that each pattern matches.

        ranks: each line's severity, as storage.telemetry.rows.texts.severity_rank. stored: the team's own patterns, and
        the built-in patterns that it has turned off or replaced.
        """
        ...

    def forget(self, state: bytes, words: Sequence[str]) -> LearntTemplates | None:
        """Return the state with these words replaced by variables; None if they do not occur in it."""
        ...
