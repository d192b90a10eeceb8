"""The grain of a series, and how much of its time is covered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detection.types import Floats

_EVEN_STEPS = (
    *(1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0),
    *(60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1200.0, 1800.0),
    *(3600.0, 7200.0, 10_800.0, 14_400.0, 21_600.0, 43_200.0, 86_400.0, 604_800.0),
)
"""The steps in seconds that people and exporters choose."""

_NEAR = 0.03
_GAP_STEPS = 1.5
"""Two points further apart than so many steps have a gap between them, or are in another grain."""

_REGULAR_SHARE = 0.5
_FEWEST_OF_A_PART = 12
"""So many equal steps in a row, of another size than the series' own, are a part in another grain and no gaps."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without points. began, ended: the points around it, seconds UTC. missing: seconds without a point."""

    began: float
    ended: float
    missing: float


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a series in another grain, as where a store keeps old points in coarser steps. Seconds."""

    began: float
    ended: float
    step: float


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a series' time has points.

    step: seconds, 0 for a single point. present: the expected points that are there, of `expected`. regular: whether
    most points are a step apart. gaps: how many. longest: None without a gap. parts: those in another grain, in which
    points of their own grain are expected.
    """

    step: float
    present: int
    expected: int
    regular: bool
    gaps: int
    longest: Gap | None
    parts: tuple[Part, ...] = ()


def step_of(times: Floats) -> float:
    """Return the usual distance of two points in seconds, 0 for fewer than two. times: (n,) sorted.

    It is the median distance, and the step that people choose where it is as good as that.
    """
    apart = np.diff(np.unique(times))
    if not len(apart):
        return 0.0
    median = float(np.median(apart))
    near = min(_EVEN_STEPS, key=lambda step: abs(step - median))
    return near if abs(near - median) <= _NEAR * near else median


def coverage_of(times: Floats) -> Coverage:
    """Return the grain and the coverage of a series. times: (n,) sorted, at least one."""
    step, moments = step_of(times), np.unique(times)
    if not step:
        return Coverage(0.0, 1, 1, regular=True, gaps=0, longest=None)
    apart = np.diff(moments)
    parts = list(_parts(moments, apart, step))
    steps = np.full(len(apart), step)
    for part in parts:
        steps[(moments[:-1] >= part.began) & (moments[1:] <= part.ended)] = part.step
    steps_apart = np.maximum(np.rint(apart / steps), 0)
    expected = int(steps_apart.sum()) + 1
    present = min(expected, int((steps_apart > 0).sum()) + 1)
    regular = float((np.abs(apart - steps) <= steps / 4).mean()) >= _REGULAR_SHARE
    wide = steps_apart > 1
    longest = _longest(moments, np.where(wide, apart - steps, 0.0)) if wide.any() else None
    return Coverage(step, present, expected, regular, int(wide.sum()), longest, tuple(parts))


def _parts(moments: Floats, apart: Floats, step: float) -> Iterator[Part]:
    """Yield the runs of equal steps that are clearly longer or shorter than the series' own."""
    other = (apart > _GAP_STEPS * step) | (apart < step / _GAP_STEPS)
    changes = np.flatnonzero((np.abs(np.diff(apart)) > apart[:-1] / 4) | (np.diff(other.astype(np.int8)) != 0)) + 1
    for first, last in pairwise([0, *changes.tolist(), len(apart)]):
        if other[first] and last - first >= _FEWEST_OF_A_PART:
            yield Part(float(moments[first]), float(moments[last]), step_of(moments[first : last + 1]))


def _longest(moments: Floats, missing: Floats) -> Gap:
    place = int(np.argmax(missing))
    return Gap(float(moments[place]), float(moments[place + 1]), float(missing[place]))
