"""Make one series of its rows: sorted by time, each time once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.types import Floats, Integers

_MANY = 0.5
"""Where so many of the times have several values they are measured more often than the times tell, and are averaged."""


@dataclass(frozen=True, slots=True)
class Points:
    """The points of a series. times: (n,) sorted, each once. numbers: (columns, n).

    repeated: how many rows equal another. replaced: how many others stand for a time of another row. averaged: whether
    the values of one time are averaged, else the last in the file counts.
    """

    times: Floats
    numbers: Floats
    repeated: int
    replaced: int
    averaged: bool


def points_of(times: Floats, numbers: Floats, *, may_average: bool) -> Points:
    """Sort the rows of a series by time and make one point of each time. times: (n,). numbers: (columns, n)."""
    order = np.argsort(times, kind="stable")
    times, numbers = times[order], numbers[:, order]
    moments, first, counts = np.unique(times, return_index=True, return_counts=True)
    if len(moments) == len(times):
        return Points(times, numbers, 0, 0, averaged=False)
    differing = _differing(numbers, first, counts)
    averaged = may_average and int((differing > 1).sum()) > _MANY * len(moments)
    last = numbers[:, first + counts - 1]
    kept = np.add.reduceat(numbers, first, axis=1) / counts if averaged else last
    replaced = int((differing - 1).sum())
    return Points(moments, kept, len(times) - len(moments) - replaced, replaced, averaged)


def _differing(numbers: Floats, first: Integers, counts: Integers) -> Integers:
    """Return how many different rows of numbers each time has, (moments,)."""
    of_row = np.repeat(np.arange(len(first)), counts)
    order = np.lexsort([*numbers, of_row])
    rows = np.vstack([of_row, numbers])[:, order]
    is_new = np.concatenate([[True], (rows[:, 1:] != rows[:, :-1]).any(axis=0)])
    return np.bincount(of_row[order][is_new], minlength=len(first)).astype(np.int64)
