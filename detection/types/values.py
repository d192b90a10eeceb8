"""Basic values: JSON values, arrays and estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"

Integers: TypeAlias = NDArray[np.int64]

Floats: TypeAlias = NDArray[np.float64]
TimeSpans: TypeAlias = Sequence[tuple[float, float]]
"""Periods: the (begin, end) of each, in seconds UTC."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % confidence interval; low may be negative for a difference."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """Return the estimate in another unit; factor must not be negative."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)
