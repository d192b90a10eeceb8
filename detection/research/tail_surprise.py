"""How surprising a value is among those before it, in decades: 2 means that one in a hundred was as far out.

A conformal p-value (Vovk, Gammerman and Shafer 2005) for the bulk; beyond the largest values a power law fitted to
them goes on (Hill 1975), as in the peaks-over-threshold streaming detector of Siffer et al. (KDD 2017).
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

import numpy as np

WARM_UP = 100
"""Values that must be known before one is judged against them."""

_TAIL_SHARE = 0.02
_TAIL_LEAST = 10
_STEEPEST = 50.0
"""The power law is never taken to fall faster: a handful of nearly equal extremes would promise too much."""


class SortedWindow:
    """The last `capacity` values, in order of size."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._arrived: deque[float] = deque()
        self._ordered: list[float] = []

    def __len__(self) -> int:
        return len(self._ordered)

    def add(self, value: float) -> None:
        """Take a value in and forget the oldest when there are too many."""
        insort(self._ordered, value)
        self._arrived.append(value)
        if len(self._arrived) > self._capacity:
            del self._ordered[bisect_left(self._ordered, self._arrived.popleft())]

    def at_least(self, value: float) -> int:
        """How many are as large or larger."""
        return len(self._ordered) - bisect_left(self._ordered, value)

    def largest(self, count: int) -> list[float]:
        """The `count` largest, smallest of them first."""
        return self._ordered[-count:]

    def quantile(self, share: float) -> float:
        """The value below which a share of them lies, interpolated; there must be one at least."""
        place = share * (len(self._ordered) - 1)
        lower = math.floor(place)
        upper = min(lower + 1, len(self._ordered) - 1)
        below, above = self._ordered[lower], self._ordered[upper]
        return below + (above - below) * (place - lower)


class Surprise:
    """Judges each distance (0 or more, larger is stranger) by the last `memory` before it."""

    def __init__(self, memory: int) -> None:
        self._past = SortedWindow(memory)

    def of(self, distance: float) -> float | None:
        """The decades of the share of earlier distances this far out; None before there are `WARM_UP` of them."""
        decades = self._decades(distance) if len(self._past) >= WARM_UP else None
        self._past.add(distance)
        return decades

    def _decades(self, distance: float) -> float:
        known, beyond = len(self._past), self._past.at_least(distance)
        tail = max(_TAIL_LEAST, int(_TAIL_SHARE * known))
        largest = self._past.largest(tail)
        if beyond >= tail or largest[0] <= 0:
            return -math.log10((beyond + 1) / (known + 1))
        mean_log_excess = float(np.mean(np.log(np.array(largest) / largest[0])))
        exponent = min(1.0 / mean_log_excess, _STEEPEST) if mean_log_excess > 0 else _STEEPEST
        return -math.log10((tail + 1) / (known + 1)) + exponent * math.log10(distance / largest[0])
