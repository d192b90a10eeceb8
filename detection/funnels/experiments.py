"""Compare the conversion of two variants of a property: is one better, and by how much?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detection.funnels.cohorts import totals
from detection.statistics.proportions import two_sample_mid_p, wilson_interval
from detection.types import Estimate, FunnelSeries

_FEWEST_ENTRIES = 30
_TWO_SIDED = 1.96
_POWER = 0.8416
"""The normal quantile for a power of 80 %."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One value of the property, with its entries and conversions."""

    value: str
    entries: int
    converted: int

    @property
    def rate(self) -> float:
        """The conversion rate; 0.0 without entries."""
        return self.converted / self.entries if self.entries else 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The comparison of a challenger with a reference; `enough` is False if either has too few entries.

    p_value: two-sided and valid for a single look only; repeated looks until it is small invalidate it. difference: in
    shares (0.02 is two percentage points). relative: difference over the reference's rate; None if the reference has no
    conversion.
    """

    reference: Variant
    challenger: Variant
    enough: bool
    p_value: float
    difference: Estimate
    relative: Estimate | None


def variants(
    series: Sequence[FunnelSeries], dimension: str, *, horizon_seconds: float, since: float, until: float
) -> list[Variant]:
    """Count the entries and conversions of every value of a property in [since, until), the most entries first.

    `until` should be a horizon before now, so that users still in progress do not count as lost.
    """
    counted = [
        (one.value or "", *totals(one, horizon_seconds, since=since, until=until)[:2])
        for one in series
        if one.dimension == dimension
    ]
    found = [Variant(value, entries, converted) for value, entries, converted in counted if entries]
    return sorted(found, key=lambda variant: (-variant.entries, variant.value))


def compare(reference: Variant, challenger: Variant) -> Comparison:
    """Test whether two variants convert equally, by Fisher's exact conditional test with the two-sided mid-p value.

    Conditional on all conversions, the challenger's are hypergeometric (Fisher 1935). The mid-p value (Lancaster 1961)
    removes the conservatism that makes the plain exact test miss differences, and comes close to Barnard's
    unconditional test at a fraction of the work (Lydersen, Fagerland and Laake 2009). The difference has Newcombe's
    hybrid score interval (1998, method 10), the ratio the log interval of Walter (1975).
    """
    lower = float(two_sample_mid_p(challenger.converted, challenger.entries, reference.converted, reference.entries))
    return Comparison(
        reference=reference,
        challenger=challenger,
        enough=min(reference.entries, challenger.entries) >= _FEWEST_ENTRIES,
        p_value=min(2 * min(lower, 1 - lower), 1.0),
        difference=_difference(reference, challenger),
        relative=_relative(reference, challenger),
    )


def entries_needed(rate: float, relative_change: float) -> int:
    """Return the sample size per variant to detect a relative change of `rate` with 80 % power at the 5 % level.

    Normal approximation for two shares (Fleiss, Levin and Paik 2003, section 4.2), without continuity correction, as
    in the mid-p test. Raises ValueError unless the rate and the changed rate differ and lie strictly between 0 and 1.
    """
    other = rate * (1 + relative_change)
    if not 0 < rate < 1 or not 0 < other < 1 or not relative_change:
        raise ValueError("the rate, and the rate as changed, must lie between 0 and 1 and differ")
    middle = (rate + other) / 2
    alike, apart = np.sqrt(2 * middle * (1 - middle)), np.sqrt(rate * (1 - rate) + other * (1 - other))
    return int(np.ceil(((_TWO_SIDED * alike + _POWER * apart) / (other - rate)) ** 2))


def _difference(reference: Variant, challenger: Variant) -> Estimate:
    low, high = _interval(challenger)
    other_low, other_high = _interval(reference)
    value = challenger.rate - reference.rate
    below = np.hypot(challenger.rate - low, other_high - reference.rate)
    above = np.hypot(high - challenger.rate, reference.rate - other_low)
    return Estimate(value, max(value - float(below), -1.0), min(value + float(above), 1.0))


def _relative(reference: Variant, challenger: Variant) -> Estimate | None:
    """Return the challenger's rate over the reference's, minus one; None if the reference has no conversion.

    The interval adds half an observation to each count, so that the logarithm exists.
    """
    if not reference.converted:
        return None
    k, n = challenger.converted + 0.5, challenger.entries + 0.5
    other_k, other_n = reference.converted + 0.5, reference.entries + 0.5
    centre = np.log(k / n) - np.log(other_k / other_n)
    reach = _TWO_SIDED * np.sqrt(1 / k - 1 / n + 1 / other_k - 1 / other_n)
    low = 0.0 if not challenger.converted else float(np.exp(centre - reach))
    return Estimate(challenger.rate / reference.rate - 1, low - 1, float(np.exp(centre + reach)) - 1)


def _interval(variant: Variant) -> tuple[float, float]:
    low, high = wilson_interval(variant.converted, variant.entries)
    return float(low), float(high)
