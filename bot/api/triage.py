"""The API of triage: what was decided about the alerts that fire and the findings of Argux, and why."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from bot.auth import Operator
from bot.dependencies import InjectedServices
from storage import triage

router = APIRouter(prefix="/triage", tags=["Incidents"])


class DecisionOut(BaseModel):
    """A decision about a firing alert or an own finding: it wakes people, waits for the digest, or is only recorded.

    joins: the fingerprint of what it is a symptom of. waiting_since: when the first decision to wait was made.
    over_at: when it was replaced or the alert ended; null for what holds now.
    """

    model_config = ConfigDict(from_attributes=True)

    id: int
    fingerprint: str
    name: str
    service: str | None
    decision: Literal["wake", "digest", "record"]
    rule: str
    reason: str
    joins: str | None
    log_odds: float
    fired_at: datetime
    decided_at: datetime
    waiting_since: datetime | None
    read_at: datetime
    over_at: datetime | None


@router.get("", summary="List the decisions of triage")
def list_decisions(
    services: InjectedServices,
    operator: Operator,
    now_only: Annotated[bool, Query(description="Only those that hold now.")] = True,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[DecisionOut]:
    """Who is told about which alert or finding and why, the latest first."""
    with services.readers() as session:
        rows = triage.latest(session, limit=limit, only_holding=now_only)
        return [DecisionOut.model_validate(row) for row in rows]
