"""Funnels for the benchmark of a tick: days of hourly buckets and 75 minutes of fine ones, of everyone and 99 segments.

Every segment has enough entries to be judged. Entries are Poisson; three of four users go on at each step, within five
seconds. In a broken funnel half as many as normal finish, of those who entered in the last quarter of an hour.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random

import numpy as np

from detection.types import DELAY_EDGES_SECONDS
from storage import funnels
from storage.telemetry.protocol import COARSE_SECONDS, FINE_FUNNEL_SECONDS
from storage.telemetry.rows.histogram_blobs import Counts, pack
from workers.services import Services

DIMENSIONS, VALUES = 9, 11
SERIES_A_FUNNEL = DIMENSIONS * VALUES + 1
STEPS = ("viewed", "added", "paid", "confirmed")
GOES_ON, BROKEN_SECONDS, FINE_SECONDS = 0.75, 900.0, 4500.0
ENTRIES_A_BUCKET = 5.0
INSERT = "INSERT INTO funnel_buckets VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

_Blobs = list[tuple[int, bytes, bytes]]
"""(entries, reached, converted by delay) of buckets to draw from."""


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Buckets to draw from, of segments and of everyone."""

    segments: _Blobs
    everyone: _Blobs


def watch(services: Services, count: int) -> list[int]:
    """Create `count` funnels; return their ids."""
    steps = [{"name": name, "event": name} for name in STEPS]
    with services.sessions.begin() as session:
        return [
            funnels.create_funnel(
                session, name=f"Funnel {number}", steps=steps, baseline_days=7, window_minutes=15, now=services.clock()
            ).id
            for number in range(count)
        ]


def fill(connection: sqlite3.Connection, funnel_ids: list[int], *, now: float, days: int, ahead_seconds: float) -> None:
    """Write the buckets of every funnel until `ahead_seconds` after now; the first funnel is broken."""
    random = Random(7)
    hours = _drawn(ENTRIES_A_BUCKET * COARSE_SECONDS / FINE_FUNNEL_SECONDS, 1.0)
    well, broken = _drawn(ENTRIES_A_BUCKET, 1.0), _drawn(ENTRIES_A_BUCKET, 0.5)
    this_hour, this_bucket = (now // seconds * seconds for seconds in (COARSE_SECONDS, FINE_FUNNEL_SECONDS))
    for place, funnel_id in enumerate(funnel_ids):
        connection.execute("INSERT INTO funnel_marks VALUES (?, 0, ?, ?)", (funnel_id, len(STEPS), 900.0))
        for start in np.arange(this_hour - days * 86_400, this_hour + 1, COARSE_SECONDS).tolist():
            connection.executemany(INSERT, _rows(funnel_id, COARSE_SECONDS, start, hours, random))
        for start in np.arange(this_bucket - FINE_SECONDS, this_bucket + ahead_seconds, FINE_FUNNEL_SECONDS).tolist():
            drawn = broken if place == 0 and start >= now - BROKEN_SECONDS else well
            connection.executemany(INSERT, _rows(funnel_id, FINE_FUNNEL_SECONDS, start, drawn, random))


def _rows(funnel_id: int, resolution: int, start: float, drawn: _Drawn, random: Random) -> Iterator[tuple[object, ...]]:
    yield (funnel_id, resolution, start, "", "", *random.choice(drawn.everyone))
    for dimension, value in product(range(DIMENSIONS), range(VALUES)):
        yield (funnel_id, resolution, start, f"dimension-{dimension}", f"value-{value}", *random.choice(drawn.segments))


def _drawn(entries: float, last_share: float) -> _Drawn:
    return _Drawn(_blobs(entries, last_share), _blobs(entries * VALUES, last_share))


def _blobs(mean_entries: float, last_share: float, count: int = 300) -> _Blobs:
    generator = np.random.default_rng(11)
    reached = [np.maximum(generator.poisson(mean_entries, count), 1)]
    for step in range(1, len(STEPS)):
        share = GOES_ON * (last_share if step == len(STEPS) - 1 else 1.0)
        reached.append(generator.binomial(reached[-1], share))
    table = np.stack(reached, axis=1)
    rows, columns = np.nonzero(table)
    users = np.repeat(np.arange(count), table[:, -1])
    delays = np.searchsorted(DELAY_EDGES_SECONDS, generator.uniform(1.0, 5.0, len(users)))
    return list(
        zip(
            table[:, 0].tolist(),
            pack([Counts(rows, columns, table[rows, columns])], count),
            pack([Counts(users, delays, np.ones_like(users))], count),
            strict=True,
        )
    )
