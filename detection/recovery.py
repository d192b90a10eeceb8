"""Whether a finding's metric has recovered: the answer, and what the tests of every kind of signal share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from detection.types import Finding, Metric


class RecoveryState(StrEnum):
    """Whether the metric has recovered, as far as the data show."""

    RECOVERED = "recovered"
    STILL_BROKEN = "still_broken"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True, slots=True)
class Recovery:
    """The metric before the incident (as expected at this hour), during it and after the fix, in its own unit.

    after is None when nothing was seen yet. recovered_share is how much of the lost ground was regained, 0 to 1.
    sample_size counts the entries or requests behind `after`. normal_low and normal_high bound the expectation.
    is_new_normal: the metric did not come back, but has been like this for so long that it counts as normal.
    """

    state: RecoveryState
    metric: Metric
    before: float
    during: float
    after: float | None
    recovered_share: float
    sample_size: int
    normal_low: float
    normal_high: float
    is_new_normal: bool = False


def regained_share(before: float, during: float, after: float | None) -> float:
    """Return how much of the way from `during` back to `before` the metric has come, from 0 to 1."""
    if after is None or before == during:
        return 0.0
    return float(np.clip((after - during) / (before - during), 0.0, 1.0))


def insufficient_data(finding: Finding) -> Recovery:
    """Return the answer for a metric of which nothing was measured, with the finding's own expectation."""
    return Recovery(
        state=RecoveryState.INSUFFICIENT_DATA,
        metric=finding.metric,
        before=finding.expected,
        during=finding.observed,
        after=None,
        recovered_share=0.0,
        sample_size=0,
        normal_low=finding.expected_low,
        normal_high=finding.expected_high,
    )
