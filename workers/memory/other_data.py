"""When a memory must be learnt anew: a history that arrived at once, such as an import, changed what it rests on."""

from __future__ import annotations

OTHER_DATA = 2.0
"""The factor by which counts change when other data has arrived. Late records change them by less."""


def changed_by_factor(before: float, now: float) -> bool:
    """Whether a count has changed by more than the factor OTHER_DATA; from or to zero always counts."""
    return max(before, now) > OTHER_DATA * min(before, now)
