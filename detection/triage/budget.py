"""How fast a share of errors uses up the error budget.

Multiwindow, multi-burn-rate alerting (Beyer et al., The Site Reliability Workbook, chapter 5): of an
objective of 99.9 % over 30 days, somebody is woken at 14.4 times the rate that the budget allows over an hour, and at 6
times over six hours, if the last twelfth of that time burns as fast. The short window says that it goes on still.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detection.symptoms import metric_meaning
from detection.symptoms.metric_names import split_words
from detection.triage.words import Firing
from detection.types import Floats, SymptomKind

OBJECTIVE_ERRORS = 0.001
_BUDGET_SECONDS = 30 * 86_400.0
WINDOWS = ((14.4, 3600.0), (6.0, 6 * 3600.0))
"""(rate, seconds) of the windows that wake somebody."""

_SHORT = 12.0
_WELL_SEEN = 0.75
_FEWEST = 3
_PERCENT = frozenset({"pct", "percent", "percentage"})
_SHARE = frozenset({"ratio", "share", "fraction"})
_NO_SHARE = frozenset({"count", "total", "per", "second", "minute", "rps", "qps"})


@dataclass(frozen=True, slots=True)
class Burn:
    """rate: how many times as fast as it may; spent: the share of the month's budget that the window has used."""

    rate: float
    spent: float
    seconds: float
    is_fast: bool


def burn_of(firing: Firing) -> Burn | None:
    """Return how the error budget burns at the firing's last sample; None if it does not, or is no share of errors."""
    shares = _shares(firing)
    if shares is None or firing.threshold is None or firing.times.size < _FEWEST:
        return None
    last = float(firing.times[-1])
    for rate, seconds in WINDOWS:
        inside = firing.times > last - seconds
        recent = firing.times > last - seconds / _SHORT
        seen = last - float(firing.times[inside][0])
        # Of a window that was not seen in full nobody knows what it has burnt.
        if seen < _WELL_SEEN * seconds or np.count_nonzero(inside) < _FEWEST:
            continue
        burnt = float(shares[inside].mean()) / OBJECTIVE_ERRORS
        if min(burnt, float(shares[recent].mean()) / OBJECTIVE_ERRORS) >= rate:
            return Burn(burnt, burnt * seen / _BUDGET_SECONDS, seen, rate == WINDOWS[0][0])
    return None


def _shares(firing: Firing) -> Floats | None:
    """Return the samples as shares of 1; None for a metric that is no share of errors, such as errors per second."""
    words = split_words(firing.metric)
    if metric_meaning(firing.metric).kind is not SymptomKind.ERRORS or words & _NO_SHARE or not firing.times.size:
        return None
    low, high = float(firing.values.min()), float(firing.values.max())
    if low < 0.0:
        return None
    if words & _PERCENT and high <= 100.0:
        return firing.values / 100.0
    return firing.values if words & _SHARE and high <= 1.0 else None
