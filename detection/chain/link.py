"""One way in which a failure can have spread."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """It can have spread from `source` to `target`. score: log likelihood ratio. is_named: the errors say it."""

    source: str
    target: str
    score: float
    why: str
    is_named: bool = False
