"""The duration of a detection tick: over 10,000 series with 7 days of hourly baselines, and with growing history.

Four fifths of the series are endpoints, one fifth funnels and their segments (see tick_funnels). All have enough data
to be judged, and a few are broken. The tick is the worker's own, with all watches, on one core. The first tick, in
which a worker that has just started reads the past, is printed to stderr and not counted. The figure is the median
wall-clock time; on a busy machine it is too high, and the CPU time printed to stderr shows by how much.

The cost of history is measured in CPU time, since other load would distort ticks of a tenth of a second. It is summed
by the minute, since broken series are read in full again that often. The ticks of both sides alternate, and the figure
is the median of the pairs.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from unittest import mock

import numpy as np

from detection.types import DURATION_EDGES_MS
from storage import incidents
from storage.database.session import migrate
from storage.telemetry.protocol import COARSE_SECONDS, FINE_ENDPOINT_SECONDS
from storage.telemetry.rows.histogram_blobs import Counts, pack
from tests.benchmarks import tick_funnels
from tests.benchmarks.figures import Figure
from workers.lifecycle.tick import run_parts
from workers.memory.funnels import AGAIN_SECONDS
from workers.services import Services
from workers.settings import Settings

SERIES, FEW_SERIES, BROKEN, BROKEN_FUNNELS = 10_000, 1_000, 5, 1
FUNNEL_SHARE = 0.2
SECONDS, RATIO = 0.5, 1.2
TICKS, TICK_SECONDS = 30, 10
NOW = 1_770_467_405.0
FINE_MINUTES = 6
QUERIES = 3
INSERT = "INSERT INTO endpoint_buckets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def run(data: Path) -> Iterator[Figure]:
    with _one_core(), tempfile.TemporaryDirectory() as name:
        (week,) = _ticked([_filled(Path(name), "week", SERIES, days=7)])
        yield Figure("tick_10k_s", median(week.seconds), "s", "none", None, at_most=SECONDS)
        long = _filled(Path(name), "month", FEW_SERIES, days=30)
        short = _filled(Path(name), "day", FEW_SERIES, days=1)
        after_month, after_day = (_rounds(ticks.cpu_seconds) for ticks in _ticked([long, short]))
        ratio = median(month / day for month, day in zip(after_month, after_day, strict=True))
        yield Figure(
            "tick_history_ratio", ratio, "ratio", "a minute of ticks with 1 day of history, CPU s",
            median(after_day), at_most=RATIO,
        )  # fmt: skip


@dataclass
class _Ticks:
    """The wall-clock and the CPU time of each tick, in seconds."""

    seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)


def _rounds(seconds: list[float]) -> list[float]:
    """Add up the ticks from one full reading of the broken series to the next."""
    ticks = round(AGAIN_SECONDS / TICK_SECONDS)
    return [sum(seconds[start : start + ticks]) for start in range(0, len(seconds), ticks)]


@contextmanager
def _one_core() -> Iterator[None]:
    all_of_them = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(all_of_them)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_of_them)


class _Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


def _ticked(all_services: list[tuple[Services, _Clock]]) -> list[_Ticks]:
    """Run the ticks of all services in alternating order, with a clock that advances; leave out each first tick."""
    all_ticks = [_Ticks() for _ in all_services]
    for number in range(TICKS + 1):
        turns = list(zip(all_services, all_ticks, strict=True))
        for (services, clock), ticks in turns[:: (-1) ** number]:
            clock.now = NOW + number * TICK_SECONDS
            began, worked_before = time.perf_counter(), time.process_time()
            run_parts(services).raise_all()
            ticks.seconds.append(time.perf_counter() - began)
            ticks.cpu_seconds.append(time.process_time() - worked_before)
    for services, _ in all_services:
        with services.readers() as session:
            found = {record.fingerprint for one in incidents.list_incidents(session) for record in one.findings}
        assert len(found) == BROKEN + BROKEN_FUNNELS, found
        services.engine.dispose()
    print("first ticks:", [round(ticks.seconds[0], 2) for ticks in all_ticks], file=sys.stderr)
    print("CPU seconds:", [round(median(ticks.cpu_seconds[1:]), 2) for ticks in all_ticks], file=sys.stderr)
    return [_Ticks(ticks.seconds[1:], ticks.cpu_seconds[1:]) for ticks in all_ticks]


def _filled(directory: Path, name: str, series: int, *, days: int) -> tuple[Services, _Clock]:
    """Create a database with `days` of hourly buckets and FINE_MINUTES of fine ones."""
    path = directory / f"{name}.db"
    migrate(f"sqlite:///{path}")
    random = Random(3)
    healthy, broken = _histograms(40.0, requests=600), _histograms(400.0, requests=12)
    lately = _histograms(40.0, requests=12)
    funnel_count = round(series * FUNNEL_SHARE / tick_funnels.SERIES_A_FUNNEL)
    endpoint_count = series - funnel_count * tick_funnels.SERIES_A_FUNNEL
    names = [(f"service-{number % 40}", f"GET /resource/{number}") for number in range(endpoint_count)]
    clock = _Clock()
    with mock.patch.dict(os.environ, {"AUDIT_KEY": "benchmark"}):
        settings = Settings(database_url=f"sqlite:///{path}", argux_data_dir=directory, detection_interval_sec=10)
    services = Services(settings, clock=clock)
    funnel_ids = tick_funnels.watch(services, funnel_count)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        tick_funnels.fill(connection, funnel_ids, now=NOW, days=days, ahead_seconds=(TICKS + 1) * TICK_SECONDS)
        hour = NOW // COARSE_SECONDS * COARSE_SECONDS
        for start in np.arange(hour - days * 86_400, hour + 1, COARSE_SECONDS).tolist():
            rows = (_row(COARSE_SECONDS, start, name, 600, random.choice(healthy)) for name in names)
            connection.executemany(INSERT, rows)
        fine = NOW // FINE_ENDPOINT_SECONDS * FINE_ENDPOINT_SECONDS
        until = fine + (TICKS + 1) * TICK_SECONDS
        for start in np.arange(fine - FINE_MINUTES * 60, until, FINE_ENDPOINT_SECONDS).tolist():
            for number, endpoint in enumerate(names):
                is_broken = number < BROKEN and start >= fine - 60
                blob = random.choice(broken if is_broken else lately)
                connection.execute(INSERT, _row(FINE_ENDPOINT_SECONDS, start, endpoint, 12, blob))
        connection.execute("COMMIT")
    return services, clock


def _histograms(median_ms: float, *, requests: int, count: int = 200) -> list[bytes]:
    """Draw `count` histograms of log-normal durations, to pick from."""
    generator = np.random.default_rng(5)
    durations = generator.lognormal(np.log(median_ms), 0.4, (count, requests)).ravel()
    rows = np.repeat(np.arange(count), requests)
    return pack([Counts(rows, np.searchsorted(DURATION_EDGES_MS, durations), np.ones_like(rows))], count)


def _row(resolution: int, start: float, name: tuple[str, str], requests: int, blob: bytes) -> tuple[object, ...]:
    queries = np.array([[QUERIES, requests]], dtype="<u4").tobytes()
    return (resolution, start, *name, requests, 0, QUERIES * requests, blob, queries)
