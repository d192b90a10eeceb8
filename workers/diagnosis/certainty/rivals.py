"""How sure the leading cause can be while a rival of it could not be asked for all that may speak for it."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

from workers.diagnosis import weights
from workers.diagnosis.certainty.no_change import OF_CODE
from workers.diagnosis.model import Ranked, Role
from workers.diagnosis.source_states import Source, SourceState

COULD_SPEAK: Mapping[str, Mapping[str, float]] = {
    "node": {"orchestrator events": weights.NODE_EVENTS},
    "deploy": {"logs": weights.LINES_MAY_FIT},
    "commit": {
        "logs": weights.LINES_MAY_FIT,
        "deploys": math.log(weights.DEPLOY_PRIOR / weights.COMMIT_WITHOUT_DEPLOY_PRIOR),
    },
}
"""By kind of cause: the sources on which what may speak for it rests, and how much that is, in nats.

Events name a node; log lines show that a change could do what is seen; a deploy shows that a commit was live.
"""


def none_at_worst(none: float, ranked: Sequence[Ranked], sources: Sequence[Source]) -> float:
    """Return how likely it is that no commit did it if all that could not be asked spoke for the commits.

    none: the same as the evidence alone gives it.
    """
    beside = [item.key for item in ranked if item.role is Role.ORIGIN and item.cause not in OF_CODE]
    seen = sum(item.posterior for item in ranked if item.key in beside)
    return none * at_worst(ranked, beside, sources) / seen if seen else none


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
