"""The duration of a tick that judges 10,000 custom metrics, each with a point a minute.

The tick is the workers' own, with all watches, on a SQLite file with two days of hours. A minute has six ticks; the
slowest of them, which judges all that came in the minute, is what counts. The first ticks, in which a worker that has
just started reads the past, are left out. The figure is the median over some minutes.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from unittest import mock

import numpy as np

from storage.database.session import migrate
from storage.telemetry.protocol import COARSE_SECONDS, FINE_METRIC_SECONDS
from tests.benchmarks.figures import Figure
from workers.lifecycle.tick import run_parts
from workers.services import Services
from workers.settings import Settings

SERIES, MOST_SECONDS = 10_000, 0.5
MINUTES, TICKS_A_MINUTE = 6, 6
MINUTES_KEPT, HOURS_KEPT = 30, 48
NOW = 1_770_465_600.0


def run(data: Path) -> Iterator[Figure]:
    """Yield the median of the slowest ticks in seconds; print their CPU time too, which other load distorts less."""
    with tempfile.TemporaryDirectory() as name:
        slowest = _slowest_ticks(Path(name))
    for what, place in (("seconds", 0), ("CPU seconds", 1)):
        print(f"slowest tick of each minute, {what}:", [round(one[place], 2) for one in slowest], file=sys.stderr)
    yield Figure("metric_tick_10k_s", median(one for one, _ in slowest), "s", "none", None, at_most=MOST_SECONDS)


def _slowest_ticks(directory: Path) -> list[tuple[float, float]]:
    """Return the wall-clock and the CPU time of the slowest tick of each minute."""
    path = directory / "metrics.db"
    migrate(f"sqlite:///{path}")
    _fill(path)
    now = NOW

    def clock() -> datetime:
        return datetime.fromtimestamp(now, UTC)

    with mock.patch.dict(os.environ, {"AUDIT_KEY": "benchmark"}):
        settings = Settings(database_url=f"sqlite:///{path}", argux_data_dir=directory, detection_interval_sec=10)
    services = Services(settings, clock=clock)
    while services.metric_memory.judged_until != NOW:
        run_parts(services).raise_all()
        now += 0.1
    slowest = []
    for minute in range(1, MINUTES + 1):
        seconds = []
        for tick in range(TICKS_A_MINUTE):
            now = NOW + minute * FINE_METRIC_SECONDS + tick * FINE_METRIC_SECONDS / TICKS_A_MINUTE + 1
            began, worked_before = time.perf_counter(), time.process_time()
            run_parts(services).raise_all()
            seconds.append((time.perf_counter() - began, time.process_time() - worked_before))
        slowest.append(max(seconds))
    services.engine.dispose()
    return slowest


def _fill(path: Path) -> None:
    random = np.random.default_rng(1)
    hours = NOW - np.arange(HOURS_KEPT, 0, -1) * float(COARSE_SECONDS)
    minutes = NOW + np.arange(-MINUTES_KEPT, MINUTES + 1) * float(FINE_METRIC_SECONDS)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO metric_series (id, service, name, attributes, is_rate, seen_at) VALUES (?, ?, ?, '', 0, ?)",
            ((number, f"service-{number % 40}", f"metric.{number}", NOW) for number in range(SERIES)),
        )
        for width, starts in ((COARSE_SECONDS, hours), (FINE_METRIC_SECONDS, minutes)):
            for start in starts.tolist():
                values = random.normal(100, 5, SERIES).tolist()
                connection.executemany(
                    "INSERT INTO metric_buckets (resolution, bucket_start, series_id, total, count, low, high)"
                    " VALUES (?, ?, ?, ?, 1, ?, ?)",
                    ((width, start, number, value, value, value) for number, value in enumerate(values)),
                )
        connection.execute("COMMIT")
