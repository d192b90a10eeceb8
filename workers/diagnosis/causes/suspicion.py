"""A suspected cause with the evidence for and against it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.text import Markup
from workers.diagnosis.model import Evidence, Hypothesis, Outcome
from workers.diagnosis.scene.model import Observed


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A hypothesis, and what the scene says for and against it."""

    hypothesis: Hypothesis
    evidence: tuple[Evidence, ...]


Finder = Callable[[Observed], Iterable[Suspicion]]
"""Finds the suspicions of one kind of cause in what was observed; none where nothing suggests it."""


def evidence(
    check: str,
    key: str,
    result: Markup,
    weight: float,
    *,
    source: str,
    query: str = "",
    data: Mapping[str, Any] | None = None,
    outcome: Outcome = Outcome.DATA,
) -> Evidence:
    """Return one piece of evidence. source: "metrics", "logs", "traces", "deploys" …, discounted together."""
    return Evidence(
        check=check,
        hypothesis_key=key[:300],
        query=query or check,
        source=source,
        result=result,
        data=dict(data or {}),
        outcome=outcome,
        weight=weight,
    )
