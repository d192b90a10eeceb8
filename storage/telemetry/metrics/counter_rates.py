"""What a counter rose by, a second: from points that count on, or that count since the last one.

A value below the one before it is a counter that began anew, and has risen from nothing since then, as Prometheus's
`rate` has it. A point that comes late tells nothing new of a counter that counts on: its rise is in the later point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detection.types import MetricKind

LONGEST_GAP_SECONDS = 3600.0
"""A rise over a longer time says nothing about any one minute."""


@dataclass(frozen=True, slots=True)
class Counted:
    """One point of a counter."""

    happened_at: float
    value: float
    kind: MetricKind


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest point of a counter; gap_seconds: how long after the one before it, None for the very first."""

    happened_at: float
    value: float
    gap_seconds: float | None = None


def rises(points: Sequence[Counted], newest: Newest | None) -> tuple[list[tuple[float, float]], Newest | None]:
    """(when, rise a second) of points of one counter, and its newest point now.

    The first point of all says nothing: nobody knows how long it took.
    """
    found: list[tuple[float, float]] = []
    for point in _by_time(points):
        if newest is None:
            newest = Newest(point.happened_at, point.value)
            continue
        gap = point.happened_at - newest.happened_at
        if gap <= 0:
            if point.kind is MetricKind.DELTA and newest.gap_seconds:
                found.append((point.happened_at, point.value / newest.gap_seconds))
            continue
        if gap <= LONGEST_GAP_SECONDS:
            found.append((point.happened_at, _rise(point, newest) / gap))
        newest = Newest(point.happened_at, point.value, min(gap, LONGEST_GAP_SECONDS))
    return found, newest


def _by_time(points: Iterable[Counted]) -> list[Counted]:
    return sorted(points, key=lambda point: point.happened_at)


def _rise(point: Counted, newest: Newest) -> float:
    if point.kind is MetricKind.DELTA:
        return point.value
    return point.value - newest.value if point.value >= newest.value else point.value
