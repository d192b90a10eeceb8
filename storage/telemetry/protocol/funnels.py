"""Reading product events and funnels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from detection.types import Event, Floats, FunnelCells, FunnelDefinition, FunnelProgress, FunnelSeries, Integers

FunnelReader = Callable[[FunnelDefinition, Sequence[Event]], Sequence[FunnelProgress]]
"""Finds all attempts at a funnel in one user's events, one per entry. Production uses detection.funnels.attempts."""


@dataclass(frozen=True, slots=True)
class EventType:
    """A name of product events: their number in the hot store, and the times of the first and the last."""

    event: str
    count: int
    first_at: float
    last_at: float


@dataclass(frozen=True, slots=True)
class FunnelLevels:
    """Buckets of one funnel in brief, (n,) each: enough to decide whether to read the funnel in full.

    names: (dimension, value) of segments, (None, None) for everyone. rows: indices into `names`. reached: (n, steps),
    how many attempts reached at least each step; the last step only within the requested horizon.
    """

    names: Sequence[tuple[str | None, str | None]]
    rows: Integers
    bucket_starts: Floats
    reached: Integers


class ReadsFunnels(Protocol):
    """Reads the counts of funnels, and the events behind them."""

    def funnel_series(
        self, funnel_id: int, *, since: float, until: float, bucket_seconds: int, everyone_only: bool = False
    ) -> Sequence[FunnelSeries]:
        """Return the everyone series first, then one per segment; empty for a funnel never rolled up.

        bucket_seconds: FINE_FUNNEL_SECONDS or COARSE_SECONDS.
        Buckets without entries are left out. Fine buckets are kept for 3 hours, coarse ones for 35 days.
        """
        ...

    def funnel_levels(
        self, funnel: FunnelDefinition, *, since: float, until: float, bucket_seconds: int, horizon_seconds: float
    ) -> FunnelLevels:
        """Return all buckets of a funnel that have entries, in brief, ordered by time."""
        ...

    def funnel_cells(self, funnel_id: int, *, since: float, until: float, bucket_seconds: int) -> FunnelCells:
        """Return cohorts by full combination of dimension values, summed over the time range.

        All cells together add up to the everyone series. bucket_seconds: FINE_CELL_SECONDS, kept for 3 hours, or
        COARSE_SECONDS, kept for 35 days. The first 500 combinations of a bucket have a cell of their own; the others
        share one cell whose values are all "other".
        """
        ...

    def recent_events(self, *, event: str | None = None, limit: int = 100, offset: int = 0) -> Sequence[Event]:
        """Return events in the hot store, newest first."""
        ...

    def event_types(self, *, limit: int = 1000) -> Sequence[EventType]:
        """Return the event names in the hot store, most frequent first."""
        ...
