"""Verifications: the incident's metrics tested again after an action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.models import Verification
from storage.rows import hold
from storage.upserts import insert_if_new


def start_verification(
    session: Session, *, incident_id: int, action_id: int, deadline_at: datetime, now: datetime
) -> Verification:
    """Begin to test an action's effect; a second start gets the first one's row."""
    values = {
        "incident_id": incident_id,
        "action_id": action_id,
        "status": "running",
        "measures": [],
        "attempts": 0,
        "started_at": now,
        "deadline_at": deadline_at,
    }
    insert_if_new(session, Verification, values, unique=["action_id"])
    return session.scalars(select(Verification).where(Verification.action_id == action_id)).one()


def running_verifications(session: Session) -> Sequence[Verification]:
    """Those without an outcome yet, oldest first."""
    return session.scalars(select(Verification).where(Verification.status == "running").order_by(Verification.id)).all()


def record_measures(session: Session, verification: Verification, measures: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the newest attempt measured; see models.Verification for the shape."""
    hold(session, verification)
    verification.measures = [dict(measure) for measure in measures]
    verification.attempts += 1
    session.flush()


def finish_verification(session: Session, verification: Verification, *, status: str, now: datetime) -> None:
    """End it. status: recovered, not_recovered or insufficient_data."""
    verification.status = status
    verification.finished_at = now
    session.flush()
