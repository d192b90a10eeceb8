"""How sure it is that no commit is at fault."""

from __future__ import annotations

from collections.abc import Sequence

from workers.diagnosis import weights
from workers.diagnosis.causes.remedies import PARTIAL
from workers.diagnosis.model import UNKNOWN, Evidence, Ranked, Role

OF_CODE = frozenset(("deploy", "commit"))
"""The causes that a commit is behind; a flag is a change as well, but none of the code's."""

RAN_OUT = frozenset(("capacity", "node"))
"""Causes that say what ran out, and not what used it up."""


def sure_of_none(ranked: Sequence[Ranked], evidence: Sequence[Evidence]) -> float:
    """Return how likely it is that no commit did it, 0 to 1, before it is calibrated.

    It rests on both sides: on the causes beside the changes, each as far as it leaves no room for a change behind it,
    and on the reasons against the changes. Where nothing explains the incident, it is never sure.
    """
    origins = [item for item in ranked if item.role is Role.ORIGIN]
    doubted = share_doubted([item.key for item in origins if item.cause in OF_CODE], evidence)
    return sum(item.posterior * _counts(item, doubted) for item in origins if item.cause not in OF_CODE)


def share_doubted(changes: Sequence[str], evidence: Sequence[Evidence]) -> float:
    """Return the share of the changes, by their keys, against which there is a reason; 1 if there are no changes."""
    reasons = {item.hypothesis_key for item in evidence if item.weight <= weights.A_REASON_TO_DOUBT}
    return sum(key in reasons for key in changes) / len(changes) if changes else 1.0


def _counts(item: Ranked, doubted: float) -> float:
    if item.key == UNKNOWN or item.cause in PARTIAL:
        return weights.OPEN_COUNTS + weights.OPEN_ADDS * doubted
    if item.cause in RAN_OUT:
        return weights.RAN_OUT_COUNTS + weights.RAN_OUT_ADDS * doubted
    return 1.0
