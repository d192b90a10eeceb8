"""Changes that do harm only once something has grown: a leak, a table, a disk. That may take days."""

from __future__ import annotations

from collections.abc import Iterable

from detection.types import Commit
from workers.diagnosis.changes.effects import Delay
from workers.diagnosis.changes.reading import read_change

LEAST = 0.4
"""How strong an effect that grows is at least, for its change to be looked for days back."""


def makes_something_grow(commits: Iterable[Commit]) -> bool:
    """Whether the diff of one of these commits shows something that grows with each request or each day."""
    return any(
        effect.delay is Delay.GROWS and effect.strength >= LEAST
        for commit in commits
        if (reading := read_change(commit)).was_read
        for effect in reading.effects
    )
