"""Rolling records up into buckets, and how far that has come."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from detection.types import FunnelDefinition


@dataclass(frozen=True, slots=True)
class RolledUp:
    """How many records of each kind one roll-up pass took; 0 everywhere means nothing was waiting."""

    events: int
    spans: int
    points: int = 0
    logs: int = 0


class HighWater(NamedTuple):
    """For each kind of record, the sequence number up to which all records are committed."""

    events: int
    spans: int
    points: int = 0
    logs: int = 0


class WholeUntil(NamedTuple):
    """For each kind of record, the time (seconds, UTC) before which all arrived records are rolled up."""

    events: float
    spans: float
    points: float
    logs: float

    @classmethod
    def all_at(cls, moment: float) -> WholeUntil:
        """Return the same moment for every kind."""
        return cls(moment, moment, moment, moment)


class RollsUp(Protocol):
    """Counts appended records in the buckets of their time."""

    def high_water(self) -> HighWater:
        """Return how far a roll-up can go at this moment: everything appended so far."""
        ...

    def roll_up(
        self,
        funnels: Sequence[FunnelDefinition],
        *,
        now: float,
        up_to: HighWater | None = None,
        limit: int = 50_000,
        kinds: Collection[str] = HighWater._fields,
    ) -> RolledUp:
        """Make one pass: roll up the next records of these kinds into their buckets, and return how many were taken.

        Each kind is one short transaction, so that an append waits little: at most `limit` records, fewer where they
        take long. None above `up_to` is taken (default: everything appended so far). Call until nothing is taken. A
        failed pass changes nothing of its kind. Late records count in the bucket in which they happened. A funnel that
        is new is filled from the hot store beside the others.
        """
        ...

    def whole_until(self, *, now: float, up_to: HighWater | None = None) -> WholeUntil:
        """Return until when the rollups are whole: `now`, or the arrival of the oldest record that still waits.

        up_to: leave out the records above it.
        """
        ...

    def filling(self, funnels: Sequence[FunnelDefinition]) -> frozenset[int]:
        """Return the ids of those funnels whose rollups still lack events of the hot store, because they are new."""
        ...
