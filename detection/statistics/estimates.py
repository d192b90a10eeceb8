"""A value with its confidence interval."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % confidence interval; low may be negative for a difference."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """Return the estimate in another unit; factor must not be negative."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)
