"""A funnel whose rollups are written directly, without events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from detection.types import DELAY_EDGES_SECONDS
from storage import funnels
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS
from storage.telemetry.rows.bulk import put
from storage.telemetry.rows.histogram_blobs import Counts, pack
from storage.telemetry.rows.tables import funnel_buckets, funnel_marks
from workers.services import Services

DELAY_SECONDS = 3.0
STEPS = [{"name": name, "event": name} for name in ("view", "done")]
COLUMNS = ("funnel_id", "resolution", "bucket_start", "dimension", "value", "entries", "reached", "converted_by_delay")
MARK_COLUMNS = ("funnel_id", "sequence", "step_count", "window_seconds")


@dataclass(frozen=True)
class CountedFunnel:
    """Writes a funnel's buckets: `hours` hourly ones, `tens` ten-second ones.

    entries and rate (the share that converts) are numbers or functions of the bucket's start.
    """

    services: Services
    funnel_id: int

    def hours(self, days: float, *, entries: float, rate: float | Callable[[float], float]) -> None:
        now = self.services.clock().timestamp()
        until = now // COARSE_SECONDS * COARSE_SECONDS
        starts = np.arange(until - days * 86_400, until, COARSE_SECONDS).tolist()
        self._put(COARSE_SECONDS, starts, lambda start: entries, rate if callable(rate) else lambda start: rate)

    def tens(
        self, *, entries: Callable[[float], float], rate: Callable[[float], float], since: float, until: float
    ) -> None:
        starts = np.arange(since // 10 * 10, until // 10 * 10, FINE_FUNNEL_SECONDS).tolist()
        self._put(FINE_FUNNEL_SECONDS, starts, entries, rate)

    def _put(
        self, resolution: int, starts: list[float], entries: Callable[[float], float], rate: Callable[[float], float]
    ) -> None:
        random = np.random.default_rng(4)
        entered = np.array([random.poisson(entries(start)) for start in starts])
        converted = np.array([random.binomial(count, rate(at)) for count, at in zip(entered, starts, strict=True)])
        rows, column = np.arange(len(starts)), int(np.searchsorted(DELAY_EDGES_SECONDS, DELAY_SECONDS))
        reached = pack([Counts(rows, rows * 0, entered), Counts(rows, rows * 0 + 1, converted)], len(starts))
        delays = pack([Counts(rows, rows * 0 + column, converted)], len(starts))
        table = [
            (self.funnel_id, resolution, start, "", "", int(count), *blobs)
            for start, count, *blobs in zip(starts, entered, reached, delays, strict=True)
        ]
        with self.services.engine.begin() as connection:
            put(connection, funnel_buckets, COLUMNS, table)


def counted_funnel(services: Services, *, value: float | None = None, currency: str | None = None) -> CountedFunnel:
    """Create a watched funnel "Signup" of two steps, without any buckets."""
    with services.sessions.begin() as session:
        funnel = funnels.create_funnel(
            session, name="Signup", steps=STEPS, baseline_days=14, window_minutes=10, now=services.clock(),
            value_per_conversion=value, currency=currency,
        )  # fmt: skip
        funnel_id = funnel.id
    with services.engine.begin() as connection:
        put(connection, funnel_marks, MARK_COLUMNS, [(funnel_id, 0, len(STEPS), 600.0)])
    return CountedFunnel(services, funnel_id)
