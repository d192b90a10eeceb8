"""Small builders of firings: minutes after midnight instead of seconds, and what most firings share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from detection.triage import Context, Decision, Firing, Judgement, triage
from detection.types import EdgeKind, ServiceEdge, Severity


def firing(
    firing_id: str,
    service: str,
    metric: str,
    at: float,
    course: Sequence[tuple[float, float]] = (),
    *,
    sev: int | None = 3,
    **others: Any,
) -> Firing:
    """Return a firing at a minute; course: its samples, as (minute, value)."""
    healed = others.get("healed_after_seconds")
    return Firing(
        firing_id=firing_id,
        service=service,
        metric=metric,
        severity=None if sev is None else Severity(f"sev{sev}"),
        fired_at=at * 60.0,
        ended_at=None if healed is None else at * 60.0 + healed,
        times=np.array([minute * 60.0 for minute, _ in course]),
        values=np.array([value for _, value in course], dtype=float),
        fingerprint=f"{service}:{metric}",
        **others,
    )


def loud(signature: str, text: str = "", change: float = 12.0) -> dict[str, Any]:
    """Return the fields of an error pattern that is far more frequent than usual."""
    return {
        "signature": signature,
        "signature_text": text,
        "signature_change": change,
        "signature_is_bad": True,
    }


def quiet(signature: str, change: float = 0.03) -> dict[str, Any]:
    """Return the fields of a usual pattern."""
    return {"signature": signature, "signature_change": change, "signature_is_bad": False}


def calls(*pairs: tuple[str, str]) -> tuple[ServiceEdge, ...]:
    """Return edges of the call graph, as (caller, callee)."""
    return tuple(ServiceEdge(caller, callee, EdgeKind.CALLS, "declared", 0.0) for caller, callee in pairs)


def judged(firings: Sequence[Firing], context: Context | None = None, minute: float = 60.0) -> dict[str, Judgement]:
    """Return the judgements by firing id."""
    found = triage(firings, context or Context(), minute * 60.0)
    return {one.firing_id: one for one in found}


def woken(firings: Sequence[Firing], context: Context | None = None, minute: float = 60.0) -> set[str]:
    """Return the ids of the firings that wake somebody."""
    return {key for key, one in judged(firings, context, minute).items() if one.decision is Decision.WAKE}
