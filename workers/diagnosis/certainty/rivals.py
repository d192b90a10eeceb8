"""How sure the leading cause can be while a rival of it could not be asked for all that may speak for it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from workers.diagnosis import weights
from workers.diagnosis.model import Ranked, Role
from workers.diagnosis.source_states import Source, SourceState

COULD_SPEAK: Mapping[str, Mapping[str, float]] = {"node": {"orchestrator events": weights.NODE_EVENTS}}
"""By kind of cause: the sources that one check of it rests on alone, and the weight that the check gives."""


def at_worst(ranked: Sequence[Ranked], keys: Collection[str], sources: Sequence[Source]) -> float:
    """Return the probability of an answer if every check of its rivals that could not be asked spoke for them.

    ranked: the posteriors of all origins. keys: of the origins that give the answer in question.
    """
    given = {source.name for source in sources if source.state is SourceState.DATA}
    odds = {item.key: item.posterior for item in ranked if item.role is Role.ORIGIN}
    if not sources:
        return sum(odds.get(key, 0.0) for key in keys)
    for item in ranked:
        if item.key in odds and item.key not in keys:
            unasked = sum(weight for name, weight in COULD_SPEAK.get(item.cause, {}).items() if name not in given)
            odds[item.key] *= math.exp(unasked)
    return sum(odds.get(key, 0.0) for key in keys) / (sum(odds.values()) or 1.0)
