"""Metrics made of a known process, judged by the workers' own memory of metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from scipy.signal import lfilter

from detection.metrics.series import MetricOptions
from detection.types import Floats, Integers
from storage.telemetry.protocol import FINE_METRIC_SECONDS, MetricLevels
from workers.lifecycle.grouping import RELAPSE_MINUTES
from workers.memory.broken_times import PastIncident
from workers.memory.metric_buckets import Key
from workers.memory.metric_courses import fingerprint_of
from workers.memory.metrics import MetricMemory

ZONE = "Europe/Berlin"
BEGAN = datetime(2026, 3, 9, tzinfo=UTC).timestamp()
"""A Monday, three weeks before summer time begins."""

KINDS = ("white", "ar.8", "ar.95", "daily", "weekly", "wall clock", "counts", "skewed", "night batch", "sawtooth")
_DAY, _HOUR = 86_400.0, 3600.0


@dataclass(frozen=True, slots=True)
class Simulated:
    """A series. times, values: (n,). broken_from: the place from which it is broken, None where nothing happens."""

    times: Floats
    values: Floats
    broken_from: int | None = None

    def doubled_from(self, place: int) -> Simulated:
        """Return the series with all values doubled from this place on."""
        values = np.where(np.arange(len(self.values)) >= place, 2 * self.values, self.values)
        return replace(self, values=values, broken_from=place)


def simulated(kind: str, step: int, days: float, seed: int) -> Simulated:
    """Draw a series of a kind, with a point every `step` seconds."""
    random = np.random.default_rng([seed, step, KINDS.index(kind)])
    times: Floats = BEGAN + np.arange(int(days * _DAY / step), dtype=np.float64) * step
    noise = random.standard_normal(len(times))
    day = np.sin(2 * np.pi * times / _DAY)
    weekend = (times // _DAY + 3) % 7 >= 5
    match kind:
        case "white":
            values = 100 + 10 * noise
        case "ar.8" | "ar.95":
            memory = float(kind.removeprefix("ar"))
            values = 100 + 10 * lfilter([np.sqrt(1 - memory**2)], [1, -memory], noise)
        case "daily":
            values = 100 + 50 * day + 10 * noise
        case "weekly":
            values = (100 + 50 * day) * np.where(weekend, 0.5, 1.0) + 5 * noise
        case "wall clock":
            values = 100 + 60 * _working_hours(times) + 5 * noise
        case "counts":
            values = random.poisson(6 * (1 + 0.8 * day)).astype(np.float64)
        case "skewed":
            values = 100 * np.exp(0.25 * noise)
        case "night batch":
            values = 100 + 5 * noise + np.where(times % _DAY // _HOUR == 3, 80.0, 0.0)
        case _:
            values = times % (5 * _HOUR) / 180 + noise
    return Simulated(times, np.asarray(values, dtype=np.float64))


def _working_hours(times: Floats) -> Floats:
    """Return 1 from 8 to 18 o'clock on the wall, on every day."""
    zone = ZoneInfo(ZONE)
    quarters = np.floor(times / 900)
    hour = {quarter: datetime.fromtimestamp(quarter * 900, zone).hour for quarter in np.unique(quarters).tolist()}
    return np.array([1.0 if 8 <= hour[quarter] < 18 else 0.0 for quarter in quarters.tolist()])


class _Store:
    """Holds the series in memory, as the workers' memory of metrics reads a telemetry store."""

    def __init__(self, series: Sequence[Simulated]) -> None:
        self.keys: list[Key] = [("shop", f"metric.{number}", "") for number in range(len(series))]
        times = np.concatenate([one.times for one in series])
        values = np.concatenate([one.values for one in series])
        rows = np.repeat(np.arange(len(series)), [len(one.times) for one in series])
        self._levels = {width: self._rolled_up(rows, times, values, width) for width in (FINE_METRIC_SECONDS, 3600)}

    def _rolled_up(self, rows: Integers, times: Floats, values: Floats, width: int) -> MetricLevels:
        starts = times // width * width
        order = np.lexsort((rows, starts))
        rows, starts, values = rows[order], starts[order], values[order]
        first = np.flatnonzero(np.concatenate([[True], (np.diff(starts) != 0) | (np.diff(rows) != 0)]))
        counts = np.diff(np.append(first, len(values)))
        return MetricLevels(
            self.keys,
            rows[first],
            starts[first],
            np.add.reduceat(values, first) / counts,
            np.minimum.reduceat(values, first),
            np.maximum.reduceat(values, first),
        )

    def metric_levels(self, *, since: float, until: float, bucket_seconds: int) -> MetricLevels:
        """Return all buckets in brief, ordered by time."""
        held = self._levels[bucket_seconds]
        first, last = np.searchsorted(held.bucket_starts, [since, until])
        return replace(
            held,
            rows=held.rows[first:last],
            bucket_starts=held.bucket_starts[first:last],
            means=held.means[first:last],
            lows=held.lows[first:last],
            highs=held.highs[first:last],
        )

    def metric_memories(self, series: Sequence[Key]) -> Mapping[Key, bytes]:
        """Return nothing: no memory is stored."""
        return {}

    def keep_metric_memories(self, memories: Mapping[Key, bytes]) -> None:
        """Store nothing."""


def away_points(series: Sequence[Simulated]) -> list[list[int]]:
    """Return for each series the places at which it was newly reported as away, judged as the workers judge.

    All series have the same times. An incident about a series ends as soon as its points are usual again; what comes
    back within RELAPSE_MINUTES reopens it and is not reported anew.
    """
    store, memory, options = _Store(series), MetricMemory(), MetricOptions(timezone=ZONE)
    times = series[0].times
    began: dict[Key, float] = {}
    ended: dict[Key, float] = {}
    past: list[PastIncident] = []
    found: list[list[int]] = [[] for _ in series]
    for place, start in enumerate(times.tolist()):
        now = start // FINE_METRIC_SECONDS * FINE_METRIC_SECONDS + FINE_METRIC_SECONDS
        broken = {key for key, _ in memory.departures(store, now=now, options=options, past=past)}
        for key in broken - began.keys():
            if now - ended.get(key, -np.inf) > RELAPSE_MINUTES * 60:
                found[store.keys.index(key)].append(place)
            began[key] = start
        for key in began.keys() - broken:
            ended[key] = now
            past.append(PastIncident(began.pop(key), now, "shop", frozenset({fingerprint_of(key)})))
    return found
