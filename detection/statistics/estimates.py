"""A figure with its bounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the bounds within which it lies with 95 % confidence; low may be negative for a difference."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """The estimate in another unit; factor is not negative."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)
