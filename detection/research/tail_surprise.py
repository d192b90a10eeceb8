"""The surprise of a value among earlier ones: minus log10 of its p-value; 2 means that one in a hundred was as large.

In the bulk the p-value is conformal (Vovk, Gammerman and Shafer 2005). Beyond the largest values a power law fitted to
them extends it (Hill 1975), as in the peaks-over-threshold streaming detector of Siffer et al. (KDD 2017).
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections import deque

import numpy as np

WARM_UP = 100
"""The fewest earlier values that a value is judged against."""

_TAIL_SHARE = 0.02
_TAIL_LEAST = 10
_STEEPEST = 50.0
"""The largest exponent of the power law: a few nearly equal extremes would give too large a one."""


class SortedWindow:
    """A sliding window of the last `capacity` values, kept sorted."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._arrived: deque[float] = deque()
        self._ordered: list[float] = []

    def __len__(self) -> int:
        return len(self._ordered)

    def add(self, value: float) -> None:
        """Add a value; drop the oldest one beyond the capacity."""
        insort(self._ordered, value)
        self._arrived.append(value)
        if len(self._arrived) > self._capacity:
            del self._ordered[bisect_left(self._ordered, self._arrived.popleft())]

    def at_least(self, value: float) -> int:
        """Return the number of values as large as `value` or larger."""
        return len(self._ordered) - bisect_left(self._ordered, value)

    def largest(self, count: int) -> list[float]:
        """Return the `count` largest values, in ascending order."""
        return self._ordered[-count:]

    def quantile(self, share: float) -> float:
        """Return the interpolated quantile; the window must not be empty."""
        place = share * (len(self._ordered) - 1)
        lower = math.floor(place)
        upper = min(lower + 1, len(self._ordered) - 1)
        below, above = self._ordered[lower], self._ordered[upper]
        return below + (above - below) * (place - lower)


class Surprise:
    """Compute the surprise of each distance (0 or more) among the last `memory` distances before it."""

    def __init__(self, memory: int) -> None:
        self._past = SortedWindow(memory)

    def of(self, distance: float) -> float | None:
        """Return the surprise of a distance and remember the distance; None before `WARM_UP` distances are known."""
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
