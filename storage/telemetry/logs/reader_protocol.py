"""What the roll-up of logs asks of whoever understands lines: detection's miner and matcher, handed in when wired."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptTemplates:
    """What the database holds of a service's templates; `version` is None, and nothing is loaded, before the first."""

    version: str | None
    load: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class LearntTemplates:
    """What is to be kept; the version is another one whenever the state is."""

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
    """A named pattern in force: `text` says what it stands for."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class LogReading:
    """What some lines of one service say.

    template_ids: one a line. texts: the text of every template that the service has now, by id. resolve: leads from an
    id given out earlier, which no template has any more, to the one that took its place. learnt: what is to be kept in
    the place of what was loaded; None where that will do.
    """

    template_ids: Sequence[str]
    texts: Mapping[str, str]
    resolve: Callable[[str], str]
    learnt: LearntTemplates | None


class LogReader(Protocol):
    """Understands lines. Used by one thread at a time."""

    def read(self, service: str, lines: Sequence[str], kept: KeptTemplates) -> LogReading:
        """Learn from lines, going on from what is kept; what could not be kept in the end is not gone on from."""
        ...

    def matches(
        self, lines: Sequence[str], ranks: Sequence[int], stored: Sequence[StoredPattern]
    ) -> Mapping[LinePattern, Sequence[int]]:
        """Which lines (by place) each pattern matches: the built-in ones as far as `stored` leaves them, and its own.

        ranks: each line's severity, as storage.telemetry.rows.texts.severity_rank.
        """
        ...

    def forget(self, state: bytes, words: Sequence[str]) -> LearntTemplates | None:
        """Return a state in which these words are variables, wherever they stood; None where they stand nowhere."""
        ...
