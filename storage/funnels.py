"""Watched funnels, stored as rows and converted to definitions for detection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from detection.types import FunnelDefinition, FunnelStep
from storage.database.reading import readable
from storage.database.rows import get
from storage.errors import NotFoundError
from storage.models import Funnel


def create_funnel(
    session: Session,
    *,
    name: str,
    steps: Sequence[Mapping[str, Any]],
    baseline_days: int,
    window_minutes: int,
    now: datetime,
    value_per_conversion: float | None = None,
    currency: str | None = None,
) -> Funnel:
    """Watch a funnel. A step is {name, event, properties}, or the API's {name, event_filter: {event, properties}}."""
    funnel = Funnel(
        name=name,
        steps=[_flat(step) for step in steps],
        baseline_days=baseline_days,
        window_minutes=window_minutes,
        value_per_conversion=value_per_conversion,
        currency=currency,
        created_at=now,
    )
    session.add(funnel)
    session.flush()
    return funnel


def list_funnels(session: Session) -> Sequence[Funnel]:
    """Return the watched funnels that can be read, oldest first."""
    return readable(session, select(Funnel).where(Funnel.removed_at.is_(None)).order_by(Funnel.id), definition)


def get_funnel(session: Session, funnel_id: int) -> Funnel:
    """Return one watched funnel; raise NotFoundError if there is none or it was removed."""
    row = get(session, Funnel, funnel_id, "funnel")
    if row.removed_at is not None:
        raise NotFoundError("funnel", funnel_id)
    return row


def find_funnel(session: Session, named: str) -> Funnel:
    """Find a watched funnel by its number or name, of equal names the newest; raise NotFoundError if there is none."""
    watched = list_funnels(session)
    wanted = named.strip()
    found = [row for row in watched if wanted in (str(row.id), f"#{row.id}")]
    found += [row for row in reversed(watched) if row.name.casefold() == wanted.casefold()]
    if not found:
        raise NotFoundError("funnel", repr(named))
    return found[0]


def remove_funnel(session: Session, funnel_id: int, *, now: datetime) -> None:
    """Stop watching a funnel. Its number is never reused, and the telemetry store's next expiry deletes its counts."""
    get_funnel(session, funnel_id).removed_at = now
    session.flush()


def definitions(session: Session) -> list[FunnelDefinition]:
    """Return what the watched funnels that can be read define, oldest first."""
    return [definition(row) for row in list_funnels(session)]


def definition(row: Funnel) -> FunnelDefinition:
    """Convert a row to detection's FunnelDefinition."""
    return FunnelDefinition(
        funnel_id=row.id,
        name=row.name,
        steps=tuple(FunnelStep(step["name"], step["event"], step["properties"]) for step in row.steps),
        window_seconds=row.window_minutes * 60.0,
        baseline_days=row.baseline_days,
        value_per_conversion=row.value_per_conversion,
        currency=row.currency,
    )


def _flat(step: Mapping[str, Any]) -> dict[str, Any]:
    matcher = step.get("event_filter", step)
    return {"name": step["name"], "event": matcher["event"], "properties": dict(matcher.get("properties") or {})}
