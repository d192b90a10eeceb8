"""The hypothesis of a mechanism, and the signs that it is made of."""

from __future__ import annotations

from collections.abc import Collection

from detection.chain import Sign
from detection.types import SymptomKind
from integrations.text import Markup
from workers.diagnosis import weights
from workers.diagnosis.model import Hypothesis, Role
from workers.diagnosis.scene.model import Observed

SLACK_SECONDS = 60.0
"""Samples come once a minute, so what began within one of another began with it."""


def mechanism(cause: str, part: str, statement: Markup, which: str = "") -> Hypothesis:
    """Return the hypothesis that a part does harm in this way; it is told after "How it does harm: ".

    which: tells it from another mechanism of the same kind and part.
    """
    return Hypothesis(
        key=(f"{cause}:{part}" + (f":{which}" if which else ""))[:300],
        cause=cause,
        role=Role.MECHANISM,
        statement=statement,
        prior=weights.MECHANISM_PRIOR,
        service=part,
    )


def signs_of_kinds(observed: Observed, kinds: Collection[SymptomKind]) -> list[Sign]:
    """Return the signs of these kinds in the incident's parts, the earliest first, those of metrics before lines."""
    parts = parts_of_harm(observed)
    found = [sign for sign in observed.signs if sign.kind in kinds and sign.part in parts]
    return sorted(found, key=lambda sign: (sign.earliest, sign.source != "metric", sign.part))


def parts_of_harm(observed: Observed) -> frozenset[str]:
    """Return the parts of the incident and what they call: a database that only works more is no victim of it."""
    involved = observed.involved()
    return involved.union(*(observed.callees(part) for part in involved))


def stores_of(part: str, observed: Observed) -> frozenset[str]:
    """Return what lies behind a part: what it calls itself, and what those who call it call besides."""
    beside = {callee for caller in observed.callers(part) for callee in observed.callees(caller)}
    return (observed.callees(part) | beside) - {part}
