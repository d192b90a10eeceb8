"""Turn counters into rates per second. A point is cumulative, or the increase since the point before it (delta).

A cumulative value below the one before it means that the counter was reset and has risen from 0 since, as in
Prometheus's `rate`. A late point of a cumulative counter adds nothing: its increase is contained in the later point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detection.types import MetricKind

LONGEST_GAP_SECONDS = 3600.0
"""An increase over a longer gap makes no rate: it says nothing about any one minute."""


@dataclass(frozen=True, slots=True)
class CounterPoint:
    """One point of a counter."""

    happened_at: float
    value: float
    kind: MetricKind


@dataclass(frozen=True, slots=True)
class NewestPoint:
    """The newest point of a counter. gap_seconds: the time since the point before it; None for the very first."""

    happened_at: float
    value: float
    gap_seconds: float | None = None


def rates_of_increase(
    points: Sequence[CounterPoint], newest: NewestPoint | None
) -> tuple[list[tuple[float, float]], NewestPoint | None]:
    """Return (time, increase per second) for the points of one counter, and the counter's newest point now.

    newest: the newest point known before, or None. The very first point makes no rate: the time it took is unknown.
    """
    found: list[tuple[float, float]] = []
    for point in _by_time(points):
        if newest is None:
            newest = NewestPoint(point.happened_at, point.value)
            continue
        gap = point.happened_at - newest.happened_at
        if gap <= 0:
            if point.kind is MetricKind.DELTA and newest.gap_seconds:
                found.append((point.happened_at, point.value / newest.gap_seconds))
            continue
        if gap <= LONGEST_GAP_SECONDS:
            found.append((point.happened_at, _increase(point, newest) / gap))
        newest = NewestPoint(point.happened_at, point.value, min(gap, LONGEST_GAP_SECONDS))
    return found, newest


def _by_time(points: Iterable[CounterPoint]) -> list[CounterPoint]:
    return sorted(points, key=lambda point: point.happened_at)


def _increase(point: CounterPoint, newest: NewestPoint) -> float:
    if point.kind is MetricKind.DELTA:
        return point.value
    return point.value - newest.value if point.value >= newest.value else point.value
