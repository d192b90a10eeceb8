"""Funnel series of a simulated shop, drawn in buckets of 10 s, that can be read fine or by the hour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.types import DELAY_EDGES_SECONDS, Floats, FunnelDefinition, FunnelSeries, FunnelStep, Integers

BUCKET_SECONDS, HOUR_SECONDS = 10.0, 3600.0
DELAY_SECONDS = 3.0
FUNNEL = FunnelDefinition(1, "Signup", (FunnelStep("view", "view"), FunnelStep("done", "done")), 600.0, 7)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Counts in regular buckets of `width` seconds from `since` on."""

    since: float
    width: float
    entries: Integers
    converted: Integers

    def series(self, since: float, until: float, value: str | None = None) -> FunnelSeries:
        """The buckets that begin in [since, until), of everyone or of one segment."""
        first, last = (max(int(np.ceil((time - self.since) / self.width)), 0) for time in (since, until))
        entries, converted = self.entries[first:last], self.converted[first:last]
        delays = np.zeros((len(entries), len(DELAY_EDGES_SECONDS) + 1), dtype=np.int64)
        delays[:, int(np.searchsorted(DELAY_EDGES_SECONDS, DELAY_SECONDS))] = converted
        return FunnelSeries(
            funnel_id=FUNNEL.funnel_id,
            dimension=None if value is None else "country",
            value=value,
            bucket_starts=self.since + np.arange(first, first + len(entries)) * self.width,
            entries=entries,
            reached=np.stack([entries, converted], axis=1),
            converted_by_delay=delays,
        )

    def hourly(self) -> Buckets:
        """The same by the hour; a last part of an hour is left out."""
        size = int(HOUR_SECONDS / self.width)
        hours = len(self.entries) // size
        entries, converted = (
            counts[: hours * size].reshape(hours, size).sum(axis=1) for counts in (self.entries, self.converted)
        )
        return Buckets(self.since, HOUR_SECONDS, entries, converted)


def drawn(random: np.random.Generator, *, since: float, entries_per_bucket: float, rates: Floats) -> Buckets:
    """Poisson entries in buckets of 10 s, each converting independently at its bucket's rate, (buckets,)."""
    entries = random.poisson(entries_per_bucket, len(rates))
    return Buckets(since, BUCKET_SECONDS, entries, random.binomial(entries, rates))


def added(parts: Sequence[Buckets]) -> Buckets:
    """Everyone: the sum of segments on the same grid."""
    entries, converted = (np.sum([getattr(part, name) for part in parts], axis=0) for name in ("entries", "converted"))
    return Buckets(parts[0].since, parts[0].width, entries, converted)
