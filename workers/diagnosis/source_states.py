"""Which sources a diagnosis asked, and whether they had something to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SERVICE_MAP = "service map"
"""The source that tells who depends on whom."""


class SourceState(StrEnum):
    """What a source answered: data, nothing for this time, or it could not be asked."""

    DATA = "data"
    EMPTY = "empty"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Source:
    """One source that the diagnosis asked. name: in plain words, "metrics". count: how many records it gave.

    error: the kind of failure where it could not be asked. is_connected: False if it never gave anything at all.
    """

    name: str
    state: SourceState
    count: int = 0
    error: str = ""
    is_connected: bool = True
