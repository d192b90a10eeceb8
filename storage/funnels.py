"""Watched funnels: rows here, definitions for detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import FunnelDefinition, FunnelStep
from storage.models import Funnel
from storage.rows import get


def create_funnel(
    session: Session,
    *,
    name: str,
    steps: Sequence[Mapping[str, Any]],
    baseline_days: int,
    window_minutes: int,
    now: datetime,
) -> Funnel:
    """Watch a funnel; a step is {name, event, properties}, or the API's {name, event_filter: {event, properties}}."""
    funnel = Funnel(
        name=name,
        steps=[_flat(step) for step in steps],
        baseline_days=baseline_days,
        window_minutes=window_minutes,
        created_at=now,
    )
    session.add(funnel)
    session.flush()
    return funnel


def list_funnels(session: Session) -> Sequence[Funnel]:
    """Every funnel, oldest first."""
    return session.scalars(select(Funnel).order_by(Funnel.id)).all()


def get_funnel(session: Session, funnel_id: int) -> Funnel:
    """One funnel, or NotFoundError."""
    return get(session, Funnel, funnel_id, "funnel")


def definition(row: Funnel) -> FunnelDefinition:
    """The funnel as detection knows it."""
    return FunnelDefinition(
        funnel_id=row.id,
        name=row.name,
        steps=tuple(FunnelStep(step["name"], step["event"], step["properties"]) for step in row.steps),
        window_seconds=row.window_minutes * 60.0,
        baseline_days=row.baseline_days,
    )


def _flat(step: Mapping[str, Any]) -> dict[str, Any]:
    matcher = step.get("event_filter", step)
    return {"name": step["name"], "event": matcher["event"], "properties": dict(matcher.get("properties") or {})}
